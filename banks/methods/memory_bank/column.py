"""A column that keeps good patches and measures how far a part's patches are from them (paper sec. 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from banks.evenly import evenly
from banks.feature_store import StoredRows
from banks.methods.column_files import ColumnFiles
from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.coreset import greedy, project
from banks.methods.memory_bank.cost import memory_bank_plan
from banks.methods.memory_bank.local_scale import local_scales
from banks.methods.memory_bank.normaliser import Normaliser
from banks.methods.memory_bank.stand_ins import StandIns, further_picks, remainder
from banks.methods.method import ColumnPlan, Finding, FitTask, PlanTask, Provenance
from models.features import Patches
from models.weights.store import WeightStore
from recipes.banks import BankRecipe, Normalisation, Reweighting
from recipes.profile import Profile

BANK_SUFFIX = ".faiss"
NORMALISERS = "normalisers"
PROVENANCE = "provenance"
SCALES = "scales"


@dataclass(frozen=True)
class MemoryBankColumn:
    """A memory bank with everything that scoring by it needs; see `banks.methods.method.Method`.

    bank: the kept rows.
    normaliser: what the rows went through, and a part's patches go through.
    reweighting: of the image score.
    provenance: where the rows came from.
    scales: (rows,) float32, what the distances to each row are divided by; None where they stay.
    stand_ins: for `without`; None in a loaded column, and where nothing stands in for a row.
    """

    stage: ClassVar[str] = "coreset"
    forgets: ClassVar[bool] = True
    bank: MemoryBank
    normaliser: Normaliser
    reweighting: Reweighting
    provenance: Provenance
    scales: NDArray[np.float32] | None = None
    stand_ins: StandIns | None = None

    @property
    def rows(self) -> int:
        """Kept rows."""
        return len(self.bank)

    @property
    def dimension(self) -> int:
        """Channels of a row."""
        return self.bank.dimension

    @classmethod
    def plan(cls, task: PlanTask) -> ColumnPlan:
        """Rows and bytes from the profile; the time of the search is measured on made-up rows."""
        return memory_bank_plan(task)

    @classmethod
    def fit(cls, task: FitTask) -> MemoryBankColumn:
        """Normalise the training patches and keep a coreset of them."""
        profile, name, library = task.profile, task.column, task.library
        recipe = profile.recipe(name, BankRecipe)
        normaliser = _normaliser(task, recipe.normalisation)
        rows = library.rows(name, task.parts, normaliser)
        sizes = profile.kept({bank: library.count(bank, task.parts) for bank in profile.banks})
        searched = _searched(task) if recipe.local_scale else []
        chosen, stand_ins = _coreset(rows, sizes[name], task, {*task.left_out, *searched})
        kept, places = rows[chosen], _origin(rows, chosen, task)
        if profile.zero_row and name == "point":
            kept = np.concatenate([kept, np.zeros_like(kept[:1])])
            nowhere = np.full(1, -1, np.int32)
            places = places.joined(Provenance(nowhere, nowhere, nowhere))
        bank = MemoryBank.of(kept, device=task.device, precision=profile.precision)
        scales = None
        if recipe.local_scale:
            patches = (normaliser(library.patches(name, part).rows.numpy()) for part in searched)
            others = (remainder(bank, places, part, stand_ins) for part in searched)
            scales = local_scales(bank, zip(others, patches, strict=True), recipe.local_scale)
        return cls(bank, normaliser, recipe.reweighting, places, scales, stand_ins)

    def score(self, patches: Patches) -> Finding:
        """Distances of the patches to their nearest rows, and the re-weighted image score."""
        rows = self.normaliser(self.bank.take(patches.rows))
        found = self.bank.score(rows, self.reweighting, self.scales)
        return Finding(found.distances, patches.layout, found.image_score, found.ids)

    def without(self, part: int) -> MemoryBankColumn:
        """The column as if it had not seen one training part. A bank that has no other rows stays as it is.

        While a version is built, stand-ins take the places of the part's rows. They have the rows' scales.
        The normaliser and the choice of the other rows have seen the part.
        """
        left = remainder(self.bank, self.provenance, part, self.stand_ins)
        if left is None or left.bank is self.bank:
            return self
        scales = None if self.scales is None else self.scales[left.ids]
        return replace(self, bank=left.bank, provenance=left.origin, scales=scales, stand_ins=None)

    def save(self, files: ColumnFiles) -> None:
        """Write the index, the normaliser, the provenance and the scales."""
        files.write(BANK_SUFFIX, self.bank.to_bytes())
        normaliser = {"mean": self.normaliser.mean, "std": self.normaliser.std}
        files.add_tensors(
            NORMALISERS, {name: torch.tensor(of, dtype=torch.float64) for name, of in normaliser.items()}
        )
        origin = self.provenance
        files.add_tensors(
            PROVENANCE,
            {
                "part": torch.from_numpy(origin.part),
                "cell": torch.from_numpy(origin.cell),
                "pixel": torch.from_numpy(origin.pixel),
            },
        )
        if self.scales is not None:
            files.add_tensors(SCALES, {"scale": torch.from_numpy(self.scales)})

    @classmethod
    def load(
        cls, files: ColumnFiles, column: str, profile: Profile, device: str, weights: WeightStore
    ) -> MemoryBankColumn:
        """The inverse of `save`. Raises BadIndex, OSError, KeyError."""
        bank = MemoryBank.from_bytes(files.read(BANK_SUFFIX), device=device)
        recipe, numbers = profile.recipe(column, BankRecipe), files.tensors(NORMALISERS)
        origin = {name: tensor.numpy() for name, tensor in files.tensors(PROVENANCE).items()}
        return cls(
            bank,
            Normaliser(tuple(numbers["mean"].tolist()), tuple(numbers["std"].tolist())),
            recipe.reweighting,
            Provenance(origin["part"], origin["cell"], origin["pixel"]),
            files.tensors(SCALES)["scale"].numpy() if recipe.local_scale else None,
        )


def _normaliser(task: FitTask, normalisation: Normalisation) -> Normaliser:
    def fit(bank: str, *, per_channel: bool = False) -> Normaliser:
        return Normaliser.fit(_chunks(task, bank), per_channel=per_channel)

    ways: dict[Normalisation, Callable[[], Normaliser]] = {
        "none": Normaliser,
        "own": lambda: fit(task.column),
        "channel": lambda: fit(task.column, per_channel=True),
        "shared": lambda: Normaliser.shared(mean_of=fit("point"), std_of=fit("rgb")),
    }
    return ways[normalisation]()


def _chunks(task: FitTask, bank: str) -> Iterator[NDArray[np.float32]]:
    """Patch rows of one part after another."""
    return (task.library.patches(bank, part).rows.numpy() for part in task.parts)


def _searched(task: FitTask) -> list[int]:
    """The parts that local scales are learned from: as many as calibration counts, evenly spread."""
    count = min(len(task.parts), task.profile.calibration_parts)
    return [task.parts[place] for place in evenly(len(task.parts), count)]


def _coreset(
    rows: StoredRows, keep: int, task: FitTask, forgotten: Collection[int]
) -> tuple[NDArray[np.int64], StandIns | None]:
    """Indices of the rows to keep, (n,) int64, and the stand-ins for those of the parts that will be
    forgotten. There are `keep` rows, or fewer where the others are copies. Where all are kept, or no part is
    forgotten, nothing stands in."""
    if keep >= len(rows):
        return np.arange(len(rows)), None
    projected = project(rows, eps=task.profile.coreset_eps, seed=task.seed)
    chosen = greedy(projected, keep, device=task.device, progress=task.progress)
    if not forgotten:
        return chosen, None
    counts = [task.library.count(task.column, [part]) for part in task.parts]
    parts = np.repeat(np.asarray(task.parts, np.int64), counts)
    of, picks = further_picks(projected, chosen, parts, forgotten, task.device)
    return chosen, StandIns(of, rows[picks], _origin(rows, picks, task))


def _origin(rows: StoredRows, chosen: NDArray[np.int64], task: FitTask) -> Provenance:
    return Provenance(*rows.origin(chosen, task.profile.preparation.size).astype(np.int32))
