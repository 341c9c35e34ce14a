"""Lamps and room: what stands in the way darkens, in the part's shadow and beside its walls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluation.demo_parts.keys import PartKey
from evaluation.mesh_parts.lighting import light
from evaluation.mesh_parts.outlines import rectangle
from evaluation.mesh_parts.products import PRODUCTS
from evaluation.mesh_parts.scene import Scene
from evaluation.mesh_parts.shapes import prism
from evaluation.mesh_parts.station import Pose, station

PRODUCT = replace(PRODUCTS["sprocket"], rows=100, cols=100)


def test_a_block_casts_a_soft_shadow_and_darkens_its_surroundings() -> None:
    view = station(PRODUCT, PartKey(0, "sprocket", "test", "good", 0))
    block = prism([rectangle(0.03, 0.03, 0.002)], 0.0, 0.03, 0.0005, 0.004)
    scene = Scene(block, Pose(np.eye(3), np.zeros(3)))
    hits = scene.cast(view.camera, view.into_table(view.rays()))
    seen = light(scene, hits, view, 0.0003, 0.016)
    assert seen.lamps.shape == (len(view.lamps), 100 * 100)
    away = np.abs(hits.point[:, :2]).max(axis=1) - 0.015
    x, y = view.lamps[0].at[:2] / np.hypot(*view.lamps[0].at[:2])
    side = hits.point[:, 0] * x + hits.point[:, 1] * y
    level = (hits.point[:, 2] < 0.001) & (away > 0.002)
    assert seen.lamps[0][level & (side < -0.018) & (away < 0.006)].mean() < 0.5, "behind the block"
    assert seen.lamps[0][level & (side > 0.03)].mean() > 0.95
    soft = seen.lamps[0][level]
    assert ((soft > 0.1) & (soft < 0.9)).any()
    assert seen.room[level & (away < 0.005)].mean() < seen.room[level & (away > 0.02)].mean() - 0.1
