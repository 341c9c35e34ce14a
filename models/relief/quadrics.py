"""Local quadric fits: the heights of a grid, smoothed and differentiated by weighted least squares.

A blur of heights errs where the part ends: there it is a mean over one side only. A quadric that is fitted to
the valid points alone has no such error for planes and bowls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_CUT = 3.0
"""Points count up to this many deviations of the window from its centre, along each axis."""
_TERMS = ((0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (0, 2, 0.5), (1, 1, 1.0), (2, 0, 0.5))
"""Powers of y and x, and the factor, of each term of a quadric."""
_PRIOR = np.array([1e-6, 1e-4, 1e-4, 1e-2, 1e-2, 1e-2])
"""How much each term is drawn to 0, in full windows: it decides only where a window shows hardly any of the
part."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quadrics:
    """Quadrics at n centres, as surfaces over the grid. Lengths are in points of the grid.

    height: (n,) at the centre. slope: (n,) steepness at the centre, 0 where the surface is level.
    bend: (n, 2) principal curvatures times the deviation of the window: the larger one first, positive on a
    hill.
    rough: (n,) root mean square of the heights above the quadric, in deviations of the window.
    """

    height: Values
    slope: Values
    bend: Values
    rough: Values


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of a grid of heights over Gaussian windows, from which quadrics follow.

    deviation: of the windows, points. full: what a window sums up to that shows the part everywhere.
    of_points: (5, 5, side, side), by the powers of y and x. of_heights: (3, 3, side, side).
    of_squares: (side, side).
    """

    deviation: float
    full: float
    of_points: Values
    of_heights: Values
    of_squares: Values

    @property
    def share(self) -> Values:
        """(side, side) share of each window that shows the part."""
        return self.of_points[0, 0] / self.full

    def fit(self, at: NDArray[np.bool_]) -> Quadrics:
        """The quadrics at some of the centres. at: (side, side) bool."""
        points, heights = self.of_points[:, :, at], self.of_heights[:, :, at]
        mean = heights[0, 0] / np.maximum(points[0, 0], 1e-9 * self.full)
        system = np.empty((6, 7, points.shape[-1]))
        for row, (y, x, factor) in enumerate(_TERMS):
            for column, (down, right, other) in enumerate(_TERMS):
                system[row, column] = factor * other * points[y + down, x + right]
            system[row, 6] = factor * heights[y, x] - mean * system[row, 0]
        wanted, prior = system[:, 6].copy(), self.full * _PRIOR
        system[np.arange(6), np.arange(6)] += prior[:, None]
        terms = _solved(system)
        squares = self.of_squares[at] - mean * heights[0, 0] - (terms * wanted).sum(0) - prior @ terms**2
        rough = np.sqrt(np.maximum(squares, 0) / np.maximum(points[0, 0], 1e-9 * self.full))
        right, down, along, twist, across = terms[1:] / self.deviation
        steep = 1 + right**2 + down**2
        mean_bend = (1 + down**2) * along - 2 * right * down * twist + (1 + right**2) * across
        mean_bend /= -2 * steep**1.5
        product = (along * across - twist**2) / steep**2
        apart = np.sqrt(np.maximum(mean_bend**2 - product, 0))
        bend = np.stack([mean_bend + apart, mean_bend - apart], axis=1)
        return Quadrics(mean + terms[0], np.sqrt(steep - 1), bend, rough / self.deviation)


@dataclass(frozen=True, slots=True)
class Blocks:
    """A grid of heights as blocks of points, (b, b) each; `size` points along an edge of the grid.

    weights: share of the block's points that are valid. heights: their sum, in shares. squares: the squared
    mean of their heights, times the share. A block counts as one point in its middle: for windows that are
    wider than a block, the result hardly changes.
    """

    size: int
    weights: Values
    heights: Values
    squares: Values

    @classmethod
    def of(cls, heights: Values, valid: NDArray[np.bool_], most: int) -> Blocks:
        """The blocks of a grid: `most` along an edge where that divides the grid, else its points.

        heights: (n, n), in points of the grid. Where `valid`, (n, n) bool, is False, they do not matter.
        """
        size = len(heights)
        step = size // most if size % most == 0 else 1
        weights = _pooled(valid.astype(np.float64), step)
        sums = _pooled(np.where(valid, heights, 0.0), step)
        return cls(size, weights, sums, sums**2 / np.maximum(weights, 1e-9))

    def moments(self, side: int, cells: float) -> Moments:
        """The moments of all windows of one size.

        side: centres along an edge, each in the middle of a cell of size / side points. cells: deviation of
        the windows, in cells.
        """
        full, down, right = _windows(len(self.weights), side, cells)

        def sums(grid: Values, most: int) -> Values:
            """Of all windows, by powers of y and x that are below `most` together."""
            found = np.zeros((most, most, side, side))
            for power in range(most):
                found[power, : most - power] = (down[power] @ grid) @ right[: most - power]
            return found

        of_points, of_heights = sums(self.weights, 5), sums(self.heights, 3)
        of_squares = sums(self.squares, 1)[0, 0]
        return Moments(cells * self.size / side, full, of_points, of_heights, of_squares)


def _pooled(grid: Values, step: int) -> Values:
    """Means of the blocks of a square grid, `step` points wide."""
    rows = np.add.reduce([grid[row::step] for row in range(step)])
    return np.add.reduce([rows[:, column::step] for column in range(step)]) / step**2


@lru_cache(maxsize=32)
def _windows(blocks: int, side: int, cells: float) -> tuple[float, Values, Values]:
    """What a full window sums up to; and the windows along an edge, times the powers 0 to 4 of the distance
    from the centre in deviations: (5, side, blocks) and (5, blocks, side)."""
    centres = (np.arange(side) + 0.5) * blocks / side - 0.5
    away = (np.arange(blocks) - centres[:, None]) * side / (blocks * cells)
    window = np.where(np.abs(away) <= _CUT, np.exp(-0.5 * away**2), 0.0)
    powers = np.stack([window * away**power for power in range(5)])
    return float(window.sum(axis=1).max()) ** 2, powers, np.ascontiguousarray(powers.transpose(0, 2, 1))


def _solved(system: Values) -> Values:
    """(6, n) solutions of n symmetric positive definite systems, (6, 7, n) with the right sides last, which
    are overwritten. Elimination needs no pivot there."""
    for row in range(6):
        factors = system[row + 1 :, row] / system[row, row]
        system[row + 1 :, row:] -= factors[:, None] * system[row, row:]
    solutions = np.empty((6, system.shape[-1]))
    for row in reversed(range(6)):
        known = (system[row, row + 1 : 6] * solutions[row + 1 :]).sum(axis=0)
        solutions[row] = (system[row, 6] - known) / system[row, row]
    return solutions
