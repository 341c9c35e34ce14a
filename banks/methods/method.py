"""What a method is: how one column of a version is planned, fitted, kept, and scores a part.

A version has one column for each bank of its profile. `banks.methods.registry` knows all methods by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from banks.feature_store import FeatureStore
from banks.methods.column_files import ColumnFiles
from models.features import Patches
from models.layout import Layout
from models.weights.store import WeightStore
from recipes.profile import Profile


@dataclass(frozen=True, slots=True)
class Finding:
    """What one column says of one part.

    values: (n,) float32, finite and not negative, how far each patch of the part is from good ones.
    layout: where the n patches lie.
    image_score: one number for the whole part, not negative.
    nearest: (n,) int64, the bank row that is nearest to each patch; None for a method without rows.
    """

    values: NDArray[np.float32]
    layout: Layout
    image_score: float
    nearest: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where each row of a column came from, -1 for a row that came from no part.

    part: (rows,) int32, the number of a training part.
    cell: (rows,) int32, which patch of that part.
    pixel: (rows,) int32, row-major, the pixel at the patch's centre in the prepared part.
    """

    part: NDArray[np.int32]
    cell: NDArray[np.int32]
    pixel: NDArray[np.int32]

    def at(self, rows: NDArray[np.int64]) -> Provenance:
        """Of some rows. rows: (n,) int64."""
        return Provenance(self.part[rows], self.cell[rows], self.pixel[rows])

    def joined(self, other: Provenance) -> Provenance:
        """Of these rows, then those of another."""
        both = ((self.part, other.part), (self.cell, other.cell), (self.pixel, other.pixel))
        return Provenance(*map(np.concatenate, both))


class FitProgress(Protocol):
    """How fitting reports what is done."""

    def __call__(self, done: int, total: int, note: str = "", /) -> None:
        """`done` steps of the `total` steps are done. note: more to show."""
        ...


@dataclass(frozen=True)
class FitTask:
    """What fitting one column may use.

    column: its name: the bank of the profile whose patches the column sees.
    profile: the whole recipe.
    library: the patches of all training parts, also of other banks.
    parts: the numbers of the training parts to fit on.
    left_out: those of them that the column will be asked to forget, one at a time.
    seed: of every random choice.
    device: where the column will score.
    weights: of networks that are trained already.
    folder: for checkpoints. A build that is killed finds them there when it is started again.
    progress: called with how much is done of how much, and a note such as the loss.
    """

    column: str
    profile: Profile
    library: FeatureStore
    parts: Sequence[int]
    left_out: Sequence[int]
    seed: int
    device: str
    weights: WeightStore
    folder: Path
    progress: FitProgress


@dataclass(frozen=True)
class PlanTask:
    """What a column's plan may use.

    column, profile, device, weights: as in `FitTask`.
    seen: training patches of each bank.
    patches: of one part, for the column.
    """

    column: str
    profile: Profile
    seen: Mapping[str, int]
    patches: Patches
    device: str
    weights: WeightStore


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """What one column will cost.

    seen: training patches.
    rows: patches that the column keeps.
    dimension: channels of a patch.
    disk_bytes: of the column's files.
    memory_bytes: of the column while it scores, on the host.
    fit_bytes: of memory while the column is fitted.
    search_ms: to score one part, without extraction.
    training_s: to train the column's network, on this machine; 0 for a method that trains none.
    """

    seen: int
    rows: int
    dimension: int
    disk_bytes: int
    memory_bytes: int
    fit_bytes: int
    search_ms: float
    training_s: float = 0.0


class WithoutRows:
    """What columns without rows say of their rows."""

    @property
    def rows(self) -> int:
        """No rows."""
        return 0

    @property
    def provenance(self) -> Provenance | None:
        """No rows."""


class Method(Protocol):
    """One fitted column of a version."""

    stage: ClassVar[str]
    """What fitting is called while it goes on, such as "coreset" or "training"."""
    forgets: ClassVar[bool]
    """Whether `without` can be called. The training parts of a method that cannot forget a part are no
    evidence for a threshold, so a build sets some of them aside before it fits any column."""

    @property
    def rows(self) -> int:
        """Rows that the column keeps; 0 for a method without rows."""
        ...

    @property
    def dimension(self) -> int:
        """Channels of a patch."""
        ...

    @property
    def provenance(self) -> Provenance | None:
        """Where the rows came from; None for a method without rows."""
        ...

    @classmethod
    def plan(cls, task: PlanTask) -> ColumnPlan:
        """What a column will cost, before it is fitted."""
        ...

    @classmethod
    def fit(cls, task: FitTask) -> Self:
        """Fit the column on training parts."""
        ...

    def score(self, patches: Patches) -> Finding:
        """Score the patches of one part, whatever other parts there are."""
        ...

    def without(self, part: int) -> Self:
        """The column as if it had not seen one training part. Only where the method `forgets`."""
        ...

    def save(self, files: ColumnFiles) -> None:
        """Write everything that `load` needs and the profile does not say."""
        ...

    @classmethod
    def load(
        cls, files: ColumnFiles, column: str, profile: Profile, device: str, weights: WeightStore
    ) -> Self:
        """The inverse of `save`. The caller has checked the files' sha256, and checks that of the weights."""
        ...
