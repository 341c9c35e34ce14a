"""A good part about to be spoilt, and where on it a defect can go: anywhere the camera sees well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from evaluation.mesh_parts.body import Body, Coat, Flaw, Spots
from evaluation.mesh_parts.mesh import Floats, Mesh
from evaluation.mesh_parts.scene import Hits
from evaluation.mesh_parts.vectors import dot, unit


@dataclass(frozen=True)
class Blank:
    """body: the good part. seen: what the camera sees of it; shape: (rows, cols) of the image. pitch: metres
    a pixel. scale: factor of the defects' sizes. rebuilt: the same part with a flaw."""

    body: Body
    seen: Hits
    to_camera: Floats
    shape: tuple[int, int]
    pitch: float
    scale: float
    rebuilt: Callable[[Flaw], Body]


@dataclass(frozen=True)
class Spoilt:
    """A part with a defect. marks: (N,) bool of spots that the defect touches, beside all that it moved."""

    mesh: Mesh
    coat: Coat
    marks: Callable[[Spots], NDArray[np.bool_]] | None = None


@dataclass(frozen=True)
class Stamp:
    """A place on a part: its middle and axes, the third outward. All (3,), part frame."""

    at: Floats
    axes: tuple[Floats, Floats, Floats]

    def local(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """(N,) each, metres: along the surface twice, and above it."""
        away = points - self.at.astype(np.float32)
        first, second, third = (dot(away, axis.astype(np.float32)) for axis in self.axes)
        return first, second, third


def pick(blank: Blank, rng: Generator, clearance: float, only: NDArray[np.bool_] | None = None) -> Stamp:
    """A place that faces the camera, `clearance` metres from steps and edges (less if the part is slim).

    only: (P,) bool, of the seen spots those that may be chosen.
    """
    depth, on_part = blank.seen.depth.reshape(blank.shape), blank.seen.on_part.reshape(blank.shape)
    step = ndimage.maximum_filter(depth, 3) - ndimage.minimum_filter(depth, 3)
    calm = (step < 0.0022 * blank.scale) & on_part
    room = np.asarray(ndimage.distance_transform_edt(calm)).ravel()[blank.seen.on_part] * blank.pitch
    facing = dot(blank.seen.normal, blank.to_camera)[blank.seen.on_part]
    room = np.where(facing > 0.62, room, 0)
    if only is not None:
        room = np.where(only, room, 0)
    fits = np.flatnonzero(room >= max(min(clearance, 0.5 * float(room.max())), 0.5 * blank.pitch))
    return stamp(blank, int(rng.choice(fits)), rng)


def pick_rim(blank: Blank, rng: Generator) -> tuple[Stamp, Floats]:
    """A place on the part's outline as the camera sees it, and the level direction into the part, (3,)."""
    body = np.asarray(ndimage.binary_fill_holes(blank.seen.on_part.reshape(blank.shape)), bool)
    body = np.asarray(ndimage.binary_opening(body, iterations=3), bool)
    rim = body & ~np.asarray(ndimage.binary_erosion(body), bool) & blank.seen.on_part.reshape(blank.shape)
    chosen = int(rng.choice(np.flatnonzero(rim)))
    of_part = np.cumsum(blank.seen.on_part) - 1
    place = stamp(blank, int(of_part[chosen]), rng)
    # The middle of what is near is inward; its own spots say where, in the part's frame.
    near = np.abs(blank.seen.spots.at - place.at).max(axis=1) < 0.012 * blank.scale
    inward = blank.seen.spots.at[near].mean(axis=0) - place.at
    inward[2] = 0
    return place, unit(inward[None].astype(np.float64))[0]


def stamp(blank: Blank, spot: int, rng: Generator) -> Stamp:
    """The place of the seen spot of that number, turned at random."""
    at, out = blank.seen.spots.at[spot].astype(np.float64), blank.seen.spots.normal[spot].astype(np.float64)
    out = out if out[2] >= 0 else -out
    angle = rng.uniform(0, 2 * np.pi)
    guide = np.array([np.cos(angle), np.sin(angle), 0.1])
    first = np.cross(guide, out)
    first /= np.sqrt((first**2).sum())
    return Stamp(at, (first, np.cross(out, first), out))


def between(low: float, high: float, severity: float) -> float:
    """`low` for the finest defect, `high` for the coarsest."""
    return low + (high - low) * severity
