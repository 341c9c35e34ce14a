"""Fast Point Feature Histograms on the image plane: the 3D baseline without weights (BTF, 3D-ADS).

The histograms of Rusu et al. 2009, as Open3D computes them, are put on the image plane and pooled as in BTF.
Values stay raw: each histogram sums to 200. The banks scale them. Several scales and means over neighbouring
points follow Simple3D (AAAI 2026); its code was not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn import functional

from models.features import Patches
from models.layout import GridLayout
from models.numerics.machine_code import load_kernels
from models.points.alignment import align
from models.points.neighbours import Neighbours, nearest
from models.preparation.prepare import PreparedPart
from recipes.points import PRESETS, FpfhSettings

FPFH_CHANNELS = 33
"""Three angles with eleven bins each."""
_SOURCE = Path(__file__).with_name("fpfh_kernels.ll")


class FpfhExtractor:
    """Patches of FPFH histograms. The result for a part depends on that part alone."""

    def __init__(
        self,
        settings: FpfhSettings = PRESETS["btf"],
        *,
        side: int = 28,
        overlap: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        """Keep the settings.

        Args:
            settings: of the histograms.
            side: patches along one edge of the image plane (BTF: 28; M3DM's points: 56).
            overlap: whether patches overlap, see `overlapping`.
            device: device of the rows. The rows are computed on the CPU.
        """
        self.settings = settings
        self.channels = len(settings.scales) * FPFH_CHANNELS
        self.side = side
        self.overlap = overlap
        self.device = torch.device(device)
        histograms(np.zeros((1, 3), np.float32), PRESETS["btf"])  # code is made now, not while a part waits

    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, channels) float32, zero for patches without points."""
        return [Patches(self._rows(part), GridLayout(self.side)) for part in parts]

    def _rows(self, part: PreparedPart) -> torch.Tensor:
        stride = self.settings.stride
        valid = part.valid[::stride, ::stride]
        points = part.xyz[::stride, ::stride][valid]
        pixel = torch.from_numpy(np.flatnonzero(valid))
        features = torch.from_numpy(histograms(points, self.settings))
        fine = 2 * self.side if self.overlap else self.side
        rows = align(features, pixel, size=valid.shape[0], side=fine)
        return (overlapping(rows, self.side) if self.overlap else rows).to(self.device)


def overlapping(halves: torch.Tensor, side: int) -> torch.Tensor:
    """Patches that share half of their width with the next patch.

    halves: (4 * side * side, C) float32, rows of half patches, row-major.

    Returns (side * side, C) float32: means over 4 x 4 half patches with the weights 1, 2, 2, 1 along each
    edge. Simple3D (AAAI 2026) averages histograms over neighbouring points for the same reason.
    """
    grid = halves.T.unflatten(1, (2 * side, 2 * side))[None]
    smooth = functional.avg_pool2d(grid, 3, 1, 1, count_include_pad=False)
    return functional.avg_pool2d(smooth, 2)[0].flatten(1).T.contiguous()


def stretched(points: NDArray[np.float64], relief: float) -> NDArray[np.float64]:
    """The points (N, 3), with their distances from their mean plane multiplied by `relief`."""
    if relief == 1:
        return points
    centred = points - points.mean(axis=0)
    normal = np.linalg.eigh(centred.T @ centred)[1][:, 0]
    return points + (relief - 1) * (centred @ normal)[:, None] * normal


def histograms(points: NDArray[np.float32], settings: FpfhSettings) -> NDArray[np.float32]:
    """FPFH of every point, in one thread, without Python's lock.

    points: (N, 3) float32 metres, camera frame, all valid. Returns (N, 33 S) float32 for S scales. Each third
    of a scale's 33 values sums to 200 if the point has neighbours, else to 0. The result is the same on every
    run.

    For one scale and no mean, the result is that of Open3D 0.20. Neighbours and normals are bitwise the same.
    Sums differ by 1e-12, before they are rounded to float32. Open3D takes four times as long, and holds
    Python's lock meanwhile.
    """
    count, width = len(points), len(settings.scales) * FPFH_CHANNELS
    if not count:
        return np.zeros((0, width), np.float32)
    normal_radius, feature_radius, relief = settings.numbers()
    shown = stretched(points.astype(np.float64), relief)
    most = min(settings.searched, count)
    near = nearest(shown, most, max(normal_radius, feature_radius))
    run = load_kernels(_SOURCE)
    normals = np.empty((3, count))
    held = near.held(settings.normal_neighbours, normal_radius)
    run["normals"](count, most, *near.points, near.index, held, int(settings.towards_camera), *normals)
    features = np.zeros((len(settings.scales), count, FPFH_CHANNELS))
    for scale, of_scale in zip(settings.scales, features, strict=True):
        held = near.held(scale * settings.feature_neighbours, feature_radius)
        simple = np.zeros((count, FPFH_CHANNELS))
        run["simple"](count, most, *near.points, *normals, near.index, held, simple, *np.empty((4, most)))
        run["fast"](count, most, near.squares, near.index, held, simple, np.empty(FPFH_CHANNELS), of_scale)
    rows = np.empty((count, width), np.float32)
    rows[near.order] = averaged(features.swapaxes(0, 1).reshape(count, width), near, settings.averaged)
    return rows


def averaged(rows: NDArray[np.float64], near: Neighbours, most: int) -> NDArray[np.float64]:
    """Means of rows, (N, C), over the `most` nearest points of each point. For 1, the rows themselves."""
    if most == 1:
        return rows
    shown = np.isfinite(near.squares[:, :most])
    starts = np.concatenate([[0], np.cumsum(shown.sum(axis=1))])
    nearby = csr_array((np.ones(starts[-1]), near.index[:, :most][shown], starts), (len(rows), len(rows)))
    return (nearby @ rows) / np.diff(starts)[:, None]
