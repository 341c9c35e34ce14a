"""A part before it is seen: its mesh, its coat, and the colours that a defect brings to light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.mesh_parts.mesh import Floats, Indices, Mesh


@dataclass(frozen=True)
class Spots:
    """Places on a part, in its own frame. at, normal: (N, 3) float32; piece: (N,)."""

    at: Floats
    normal: Floats
    piece: Indices


@dataclass(frozen=True)
class Look:
    """What a coat is like at N spots, float32.

    albedo: (N, 3) linear, [0, 1]; of a metal, the colour of its mirror image. metal: (N,) [0, 1].
    rough: (N,), 0.15 polished to 1 chalk. bump: (N, 3), added to the normal of length 1.
    """

    albedo: Floats
    metal: Floats
    rough: Floats
    bump: Floats


Coat = Callable[[Spots], Look]


@dataclass(frozen=True)
class Flaw:
    """A feature that is not as it should be. choice: [0, 1), which one."""

    kind: Literal["missing", "bent"]
    choice: float


@dataclass(frozen=True)
class Body:
    """plain: the coat without its print. inner: linear (3,), the colour below the surface. soil: what the
    part gets stained with."""

    mesh: Mesh
    coat: Coat
    inner: Floats
    soil: Floats
    plain: Coat | None = None


def linear(colour: str) -> Floats:
    """(3,) float32 linear light from sRGB "#rrggbb"."""
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded > 0.04045, ((encoded + 0.055) / 1.055) ** 2.4, encoded / 12.92).astype(np.float32)


def over(base: Floats, colour: Floats, weight: Floats) -> Floats:
    """(N, 3): `colour` ((3,) or (N, 3)) over `base` ((3,) or (N, 3)) by `weight` (N,)."""
    return (base + (colour - base) * weight[:, None]).astype(np.float32)


def even(value: float, like: Floats) -> Floats:
    """(N,) of one value."""
    return np.full(len(like), value, np.float32)
