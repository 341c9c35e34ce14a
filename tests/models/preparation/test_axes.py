"""Clouds whose z is not the distance from the camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.preparation.axes import is_z_sideways
from models.readers import read_files
from models.sample import make_sample
from tests.scenes import scene

XYZ = scene(noise=0.00005)
RGB = np.full(XYZ.shape, 200, np.uint8)
CLOUDS = Path(__file__).parents[2] / "data" / "clouds"


def turned(degrees: float) -> np.ndarray:
    """The scene, turned about the vertical axis."""
    at = np.radians(degrees)
    return XYZ @ np.array([[np.cos(at), 0, np.sin(at)], [0, 1, 0], [-np.sin(at), 0, np.cos(at)]])


@pytest.mark.parametrize(
    ("xyz", "sideways"),
    [
        (XYZ, False),
        (XYZ[..., ::-1], True),
        (XYZ[..., [1, 0, 2]], False),
        (turned(45), False),
        (turned(80), True),
    ],
    ids=["camera", "reversed", "portrait", "tilted", "turned"],
)
def test_z_that_grows_from_column_to_column_is_found(xyz: np.ndarray, sideways: bool) -> None:
    gaps = xyz.copy()
    gaps[::7, ::5] = np.nan
    for cloud in (xyz, gaps, xyz + np.random.default_rng(0).normal(0, 0.001, XYZ.shape)):
        assert is_z_sideways(make_sample(RGB, cloud)) == sideways


def test_a_part_without_neighbouring_points_tells_nothing() -> None:
    assert not is_z_sideways(make_sample(RGB, None))
    assert not is_z_sideways(make_sample(RGB, np.full(XYZ.shape, np.nan)))


@pytest.mark.parametrize("name", ["kinect.pcd", "milk.pcd", "office.pcd"])
def test_real_clouds_are_in_their_cameras_frame(name: str) -> None:
    assert not is_z_sideways(read_files({"xyz": CLOUDS / name}))
