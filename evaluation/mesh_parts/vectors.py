"""Rows of vectors, written out: a BLAS product may round differently from machine to machine."""

from __future__ import annotations

import numpy as np

from evaluation.mesh_parts.mesh import Floats


def rotated(vectors: Floats, turn: Floats) -> Floats:
    """(N, 3) vectors by the matrix `turn` (3, 3), in the vectors' precision."""
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    rows = turn.astype(vectors.dtype)
    return np.stack([x * row[0] + y * row[1] + z * row[2] for row in rows], axis=-1)


def dot(one: Floats, other: Floats) -> Floats:
    """(N,) of (N, 3) and (N, 3) or (3,)."""
    return one[:, 0] * other[..., 0] + one[:, 1] * other[..., 1] + one[:, 2] * other[..., 2]


def unit(vectors: Floats) -> Floats:
    """(N, 3) of length 1."""
    return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-12)[:, None]


def about_z(angle: float) -> Floats:
    """(3, 3) rotation by radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def about_x(angle: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
