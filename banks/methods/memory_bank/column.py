"""A column that keeps good patches and measures how far a part's patches are from them (paper sec. 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from banks.feature_store import StoredRows
from banks.methods.column_files import ColumnFiles
from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.coreset import greedy, project
from banks.methods.memory_bank.cost import memory_bank_plan
from banks.methods.memory_bank.local_scale import local_scales
from banks.methods.memory_bank.normaliser import Normaliser
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
    """

    stage: ClassVar[str] = "coreset"
    forgets: ClassVar[bool] = True
    bank: MemoryBank
    normaliser: Normaliser
    reweighting: Reweighting
    provenance: Provenance
    scales: NDArray[np.float32] | None = None

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
        chosen = _coreset(rows, sizes[name], task)
        kept, origin = rows[chosen], rows.origin(chosen, profile.preparation.size)
        if profile.zero_row and name == "point":
            kept = np.concatenate([kept, np.zeros_like(kept[:1])])
            origin = np.pad(origin, ((0, 0), (0, 1)), constant_values=-1)
        bank = MemoryBank.of(kept, device=task.device, precision=profile.precision)
        origin = origin.astype(np.int32)
        scales = _scales(task, bank, origin[0], normaliser) if recipe.local_scale else None
        return cls(bank, normaliser, recipe.reweighting, Provenance(*origin), scales)

    def score(self, patches: Patches) -> Finding:
        """Distances of the patches to their nearest rows, and the re-weighted image score."""
        rows = self.normaliser(self.bank.take(patches.rows))
        found = self.bank.score(rows, self.reweighting, self.scales)
        return Finding(found.distances, patches.layout, found.image_score, found.ids)

    def without(self, part: int) -> MemoryBankColumn:
        """The column without the rows of one training part. A bank that has no other rows stays as it is.

        The normaliser and the choice of rows have seen the part, and its neighbours in the library may have
        given way to it. So the part's scores are a little high.
        """
        kept = self.provenance.part != part
        if kept.all() or not kept.any():
            return self
        origin = self.provenance
        return replace(
            self,
            bank=self.bank.subset(kept),
            provenance=Provenance(origin.part[kept], origin.cell[kept], origin.pixel[kept]),
            scales=None if self.scales is None else self.scales[kept],
        )

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


def _scales(
    task: FitTask, bank: MemoryBank, origin: NDArray[np.int32], normaliser: Normaliser
) -> NDArray[np.float32]:
    """The local scales of the rows, from as many training parts as calibration counts, evenly spread."""
    count = min(len(task.parts), task.profile.calibration_parts)
    chosen = [task.parts[len(task.parts) * place // count] for place in range(count)]

    def patches(part: int) -> NDArray[np.float32]:
        return normaliser(task.library.patches(task.column, part).rows.numpy())

    power = task.profile.recipe(task.column, BankRecipe).local_scale
    return local_scales(bank, origin, chosen, patches, power)


def _coreset(rows: StoredRows, keep: int, task: FitTask) -> NDArray[np.int64]:
    """Indices of the rows to keep, (n,) int64: `keep` of them, or fewer where the others are copies."""
    if keep >= len(rows):
        return np.arange(len(rows))
    projected = project(rows, eps=task.profile.coreset_eps, seed=task.seed)
    return greedy(projected, keep, device=task.device, progress=task.progress)
