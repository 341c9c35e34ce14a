"""A run: a product evaluated with a profile, trained on all of its good parts or on a few of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.readers.folder_layout import GOOD
from models.readers.product_folder import PartFile, ProductFolder
from recipes.profile import Profile

MOST_MIXED = 0.1
"""Largest share of defective parts that are mixed into the training parts."""
_MIXING = 3  # keeps this choice apart from others with the same seed


@dataclass(frozen=True, slots=True)
class Run:
    """A product and a profile to evaluate.

    Attributes:
        product, profile: names.
        seed: of the build and of the draws.
        shots: number of training parts that are drawn; None uses all training and validation parts.
        draw: number of the draw, from 0.
        mixed: share of defective test parts among the training parts, `MOST_MIXED` at most. The defective
            parts that the largest share would take are no test parts, so that all shares have the same test
            parts. None leaves all parts where they are.
    """

    product: str
    profile: str
    seed: int = 0
    shots: int | None = None
    draw: int = 0
    mixed: float | None = None

    @property
    def label(self) -> str:
        """Name for people, such as "biscuit embedded, 5 parts, draw 2"."""
        drawn = "" if self.shots is None else f", {self.shots} parts, draw {self.draw + 1}"
        if self.mixed is not None:
            drawn += f", {self.mixed:.0%} defective training parts"
        return f"{self.product} {self.profile}{drawn}"


def drawn_folder(folder: ProductFolder, run: Run) -> ProductFolder:
    """The parts that the run is trained and tested on.

    A draw puts all training parts in random order and uses the first `shots` parts. So a larger size of the
    same draw includes the smaller sizes. Validation parts are then left out, so that five shots are five
    parts; threshold and decision come from cross-validation. Raises ValueError for more shots than parts.
    """
    if run.mixed is not None:
        folder = _contaminated(folder, run)
    if run.shots is None:
        return folder
    if run.shots > len(folder.train):
        raise ValueError(
            f"{run.product} has {len(folder.train)} training parts, not {run.shots}. Draw fewer parts."
        )
    order = np.random.default_rng([run.seed, run.draw]).permutation(len(folder.train))
    chosen = tuple(folder.train[i] for i in sorted(order[: run.shots]))
    return replace(folder, train=chosen, validation=())


def _contaminated(folder: ProductFolder, run: Run) -> ProductFolder:
    """The folder with defective test parts among its training parts. Raises ValueError for a wrong share."""
    if run.mixed is None or not 0 <= run.mixed <= MOST_MIXED:
        raise ValueError(f"a share of {run.mixed} cannot be mixed in: 0 to {MOST_MIXED} can")
    defective = [part for part in folder.test if part.defect != GOOD]
    order = np.random.default_rng([run.seed, run.draw, _MIXING]).permutation(len(defective))
    taken = [defective[number] for number in order[: math.ceil(MOST_MIXED * len(folder.train))]]
    mixed = taken[: math.ceil(run.mixed * len(folder.train))]
    rest = tuple(part for part in folder.test if part not in taken)
    return replace(folder, train=(*folder.train, *mixed), test=rest)


def fingerprint(
    run: Run,
    profile: Profile,
    weights: Mapping[str, str],
    folder: ProductFolder,
    families: Mapping[str, str] | None = None,
) -> str:
    """Hex digest of everything that a result depends on, except the code. families: family by defect, if any.

    An evaluation continues after an interruption if the fingerprint is the same. Files are identified by
    name, size and time of change.
    """
    parts = (*folder.train, *folder.validation, *folder.test)
    ingredients = [
        [run.product, run.seed, run.shots, run.draw, *([] if run.mixed is None else [run.mixed])],
        profile.model_dump(mode="json"),
        dict(sorted(weights.items())),
        [[part.name, part.split, part.defect, *map(_facts, _files(part)), _words(part)] for part in parts],
    ]
    if folder.roi is not None:
        ingredients.append(_facts(folder.roi))
    if families:
        ingredients.append(dict(families))
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()


def _files(part: PartFile) -> tuple[Path | None, ...]:
    return *part.files.values(), part.mask


def _words(part: PartFile) -> list[str]:
    return sorted(f"{name}={word.decode('utf-8', 'replace')}" for name, word in part.declared.items())


def _facts(path: Path | None) -> list[int] | None:
    if path is None:
        return None
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]
