"""A column that knows how good patches are spread at each place (PaDiM).

A part is far from good where its patch is far, in Mahalanobis distance, from the good patches of the same
place. So the parts must lie alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from banks.feature_store import FeatureStore
from banks.methods.column_files import ColumnFiles
from banks.methods.method import ColumnPlan, Finding, FitTask, PlanTask, WithoutRows
from banks.methods.padim.axes import Axes
from banks.methods.padim.cost import padim_plan
from banks.methods.padim.factors import Factors
from banks.methods.padim.gaussians import Gaussians
from models.features import Patches
from models.weights.store import WeightStore
from recipes.banks import PadimRecipe
from recipes.profile import Profile

PADIM = "padim"
_SIGMA = 4  # pixels of the map whose highest value is the image score, as published


@dataclass(frozen=True)
class PadimColumn(WithoutRows):
    """The Gaussians of one bank's patches; see `banks.methods.method.Method`.

    channels: (d,) int64, ascending: the channels of a patch that are kept.
    gaussians: one a place, on the device of the patches.
    size: side of the map in pixels.
    seen: what the column was fitted on, which nothing but forgetting needs; None once it was kept.
    """

    stage: ClassVar[str] = "gaussians"
    forgets: ClassVar[bool] = True
    channels: torch.Tensor
    gaussians: Gaussians
    size: int
    seen: Seen | None = None

    @property
    def dimension(self) -> int:
        """Kept channels of a patch."""
        return len(self.channels)

    @classmethod
    def plan(cls, task: PlanTask) -> ColumnPlan:
        """Bytes from the profile; the time of a part is measured on made-up Gaussians."""
        return padim_plan(task)

    @classmethod
    def fit(cls, task: FitTask) -> PadimColumn:
        """Draw the channels, and fit the Gaussians in one pass over the training patches."""
        recipe = task.profile.recipe(task.column, PadimRecipe)
        library, parts = task.library, np.asarray(task.parts)
        stored = library.rows(task.column, task.parts, lambda rows: rows)
        places = len(library.layouts(task.column)[parts[0]])
        channels = drawn(stored.shape[1], recipe.channels, task.seed)

        def rows(some: slice) -> torch.Tensor:
            cells = np.arange(places)[some]
            found = stored[(np.arange(len(parts))[:, None] * places + cells).ravel()]
            kept = found[:, channels.numpy()].reshape(len(parts), len(cells), -1)
            return torch.from_numpy(kept).double()

        shape = len(parts), places, len(channels)
        most, more = recipe.axes, (recipe.regulariser, task.progress)
        gaussians = Factors.fit(rows, shape, *more) if most is None else Axes.fit(rows, shape, most, *more)
        seen = Seen(library, task.column, len(parts), recipe.regulariser)
        return cls(channels.to(task.device), gaussians.to(task.device), task.profile.preparation.size, seen)

    def score(self, patches: Patches) -> Finding:
        """Mahalanobis distance of each patch. The image score is the highest value of the smoothed map, as
        published."""
        distances = self.gaussians.distances(self._kept(patches)).cpu().numpy()
        highest = patches.layout.smooth_image(distances, self.size, _SIGMA).max()
        return Finding(distances, patches.layout, float(highest))

    def without(self, part: int) -> PadimColumn:
        """The column as if it had been fitted on the other parts.

        Raises ValueError for a column that was kept: its training patches are not at hand.
        """
        seen = self.seen
        if seen is None:
            raise ValueError("a column that was kept cannot forget")
        rows = self._kept(seen.library.patches(seen.column, part))
        others = self.gaussians.without(rows, seen.parts, seen.regulariser)
        return replace(self, gaussians=others, seen=replace(seen, parts=seen.parts - 1))

    def save(self, files: ColumnFiles) -> None:
        """Write the channels and the Gaussians."""
        kept = {"channels": self.channels, **self.gaussians.tensors()}
        files.add_tensors(PADIM, {name: tensor.cpu() for name, tensor in kept.items()})

    @classmethod
    def load(
        cls, files: ColumnFiles, column: str, profile: Profile, device: str, weights: WeightStore
    ) -> PadimColumn:
        """The inverse of `save`. Raises OSError, KeyError, TypeError."""
        kept = files.tensors(PADIM)
        channels = kept.pop("channels").to(device)
        form = Factors if profile.recipe(column, PadimRecipe).axes is None else Axes
        return cls(channels, form(**kept).to(device), profile.preparation.size)

    def _kept(self, patches: Patches) -> torch.Tensor:
        """(P, d) float32 on the column's device."""
        return patches.rows.to(self.channels.device)[:, self.channels]


@dataclass(frozen=True)
class Seen:
    """What a column was fitted on.

    library, column: where its training patches are. parts: how many parts. regulariser: of the covariance.
    """

    library: FeatureStore
    column: str
    parts: int
    regulariser: float


def drawn(width: int, channels: int, seed: int) -> torch.Tensor:
    """(d,) int64, ascending: `channels` of `width` channels by the seed; all where there are no more."""
    order = np.random.default_rng(seed).permutation(width)
    return torch.from_numpy(np.sort(order[:channels]))
