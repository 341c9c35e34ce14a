"""The stereo sensor's noise: more with distance, slant and dark colours; nothing where no pattern arrives."""

from __future__ import annotations

import numpy as np
from numpy.random import PCG64, Generator

from evaluation.demo_parts.keys import PartKey
from evaluation.mesh_parts.body import Look, Spots
from evaluation.mesh_parts.depth_sensor import measure
from evaluation.mesh_parts.products import PRODUCTS
from evaluation.mesh_parts.scene import Hits
from evaluation.mesh_parts.station import Station, station

VIEW = station(PRODUCTS["sprocket"], PartKey(0, "sprocket", "test", "good", 0))


def wall(view: Station, depth: float, lean: float = 0.0) -> Hits:
    """A wall across the whole view; the normal leans by `lean` radians."""
    rays = view.into_table(view.rays())
    back = -view.turn[:, 2] * np.cos(lean) + view.turn[:, 1] * np.sin(lean)
    point = (view.camera + rays * depth).astype(np.float32)
    none = np.zeros((0, 3), np.float32)
    count = len(rays)
    return Hits(
        np.full(count, depth, np.float32),
        point,
        np.tile(back.astype(np.float32), (count, 1)),
        np.zeros(count, bool),
        Spots(none, none, np.zeros(0, int)),
    )


def error(depth: float = 0.33, lean: float = 0.0, grey: float = 0.5) -> float:
    """Deviation of the measured depth, metres."""
    hits = wall(VIEW, depth, lean)
    count = len(hits.depth)
    look = Look(
        np.full((count, 3), grey, np.float32),
        np.zeros(count, np.float32),
        np.ones(count, np.float32),
        np.zeros((count, 3), np.float32),
    )
    z = measure(VIEW, hits, look, np.ones(count, bool), Generator(PCG64(1)))[..., 2]
    assert 0 < (z > 0).mean() <= 1
    return float(np.std(z[z > 0] - depth))


def test_noise_grows_with_the_square_of_distance_with_slant_and_with_darkness() -> None:
    plain = error()
    assert 0.00002 < plain < 0.0002
    assert 3.0 < error(depth=0.66) / plain < 5.0
    assert error(lean=0.9) > 1.5 * plain
    assert error(grey=0.12) > 1.3 * plain


def test_nothing_is_measured_where_no_pattern_arrives() -> None:
    hits = wall(VIEW, 0.33)
    count = len(hits.depth)
    white = Look(
        np.full((count, 3), 0.8, np.float32),
        np.zeros(count, np.float32),
        np.ones(count, np.float32),
        np.zeros((count, 3), np.float32),
    )
    lit = np.arange(count) % VIEW.cols >= VIEW.cols // 2
    cloud = measure(VIEW, hits, white, lit, Generator(PCG64(2)))
    assert not cloud[:, : VIEW.cols // 2].any()
    assert (cloud[:, VIEW.cols // 2 + 1 :, 2] > 0).mean() > 0.98
