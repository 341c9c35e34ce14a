"""One thing to evaluate: a product by a profile, learnt from all of its good parts or from a few of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.readers.product_folder import PartFile, ProductFolder
from recipes.profile import Profile


@dataclass(frozen=True, slots=True)
class Run:
    """seed: of the build and of the draws. shots: training parts drawn; None takes all, with the
    validation parts. draw: which of the draws, from 0."""

    product: str
    profile: str
    seed: int = 0
    shots: int | None = None
    draw: int = 0

    @property
    def label(self) -> str:
        """For people: "biscuit embedded, 5 parts, draw 2"."""
        drawn = "" if self.shots is None else f", {self.shots} parts, draw {self.draw + 1}"
        return f"{self.product} {self.profile}{drawn}"


def drawn_folder(folder: ProductFolder, run: Run) -> ProductFolder:
    """What the run learns from.

    One draw orders all training parts by chance and takes the first `shots`, so a larger size of the same
    draw holds the smaller ones. The validation parts are left out then: threshold and decision come from
    cross-validation, and five shots are five parts. Raises ValueError for more shots than parts.
    """
    if run.shots is None:
        return folder
    if run.shots > len(folder.train):
        raise ValueError(f"{run.product} has {len(folder.train)} training parts, not {run.shots}")
    order = np.random.default_rng([run.seed, run.draw]).permutation(len(folder.train))
    chosen = tuple(folder.train[i] for i in sorted(order[: run.shots]))
    return replace(folder, train=chosen, validation=())


def fingerprint(run: Run, profile: Profile, weights: Mapping[str, str], folder: ProductFolder) -> str:
    """Hex digest of everything that a result depends on, but for the code: an interrupted evaluation goes on
    where this is the same. Files count by name, size and time of change."""
    parts = (*folder.train, *folder.validation, *folder.test)
    ingredients = [
        [run.product, run.seed, run.shots, run.draw],
        profile.model_dump(mode="json"),
        dict(sorted(weights.items())),
        [[part.name, part.split, part.defect, *map(_facts, _files(part))] for part in parts],
    ]
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()


def _files(part: PartFile) -> tuple[Path | None, ...]:
    return part.rgb, part.xyz, part.mask


def _facts(path: Path | None) -> list[int] | None:
    if path is None:
        return None
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]
