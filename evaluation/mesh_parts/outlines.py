"""Closed outlines in the plane: (N, 2) metres, evenly dense, with the material on their left."""

from __future__ import annotations

import numpy as np

from evaluation.mesh_parts.mesh import Floats


def circle(radius: float, x: float = 0.0, y: float = 0.0, step: float = 0.001) -> Floats:
    """An outer outline."""
    count = max(24, int(2 * np.pi * radius / step))
    angle = np.arange(count) * (2 * np.pi / count)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=-1)


def rectangle(
    width: float, length: float, corner: float, x: float = 0.0, y: float = 0.0, step: float = 0.001
) -> Floats:
    """An outer outline with round corners, in the middle of which x, y is."""
    w, h = width / 2 - corner, length / 2 - corner
    quarter = np.linspace(0, np.pi / 2, max(4, int(1.6 * corner / step) + 1))
    ends = []
    for turn, (mx, my) in enumerate(((w, h), (-w, h), (-w, -h), (w, -h))):
        angle = quarter + turn * np.pi / 2
        ends.append(np.stack([mx + corner * np.cos(angle), my + corner * np.sin(angle)], axis=-1))
    return dense(np.concatenate(ends), step) + np.array([x, y])


def polar(radius: Floats) -> Floats:
    """An outer outline from its radius at even angles."""
    angle = np.arange(len(radius)) * (2 * np.pi / len(radius))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def dense(corners: Floats, step: float) -> Floats:
    """Points at most `step` metres apart along the closed line through `corners`."""
    pieces = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        count = max(1, int(np.ceil(np.hypot(*(end - start)) / step)))
        pieces.append(start + (end - start) * (np.arange(count) / count)[:, None])
    return np.concatenate(pieces)


def hole(outline: Floats) -> Floats:
    """The outline of a hole of that form."""
    return outline[::-1].copy()


def inset(outline: Floats, by: float) -> Floats:
    """The outline moved into the material. Good for lengths well below its radii."""
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    along = along / np.sqrt((along**2).sum(axis=1, keepdims=True))
    return outline + by * np.stack([-along[:, 1], along[:, 0]], axis=-1)


def inside(points: Floats, outlines: list[Floats]) -> np.ndarray:
    """(N,) bool: within the material, by the even-odd rule."""
    crossings = np.zeros(len(points), np.int64)
    x, y = points[:, 0, None], points[:, 1, None]
    for outline in outlines:
        start, end = outline, np.roll(outline, -1, axis=0)
        spans = (start[:, 1] > y) != (end[:, 1] > y)
        rise = np.where(end[:, 1] == start[:, 1], 1e-12, end[:, 1] - start[:, 1])
        at = start[:, 0] + (y - start[:, 1]) / rise * (end[:, 0] - start[:, 0])
        crossings += (spans & (x < at)).sum(axis=1)
    return crossings % 2 == 1
