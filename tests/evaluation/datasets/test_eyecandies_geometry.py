from __future__ import annotations

import numpy as np
import pytest

from evaluation.datasets.eyecandies_geometry import back_project, cloud_of, decode_depth, is_background

K4 = np.array([[711.11, 0, 256, 0], [0, 711.11, 256, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def literal_cloud(depth, pose):
    """The published script's arithmetic, point by point, its background at 0, 0, 0."""
    column, row = (grid.ravel() for grid in np.meshgrid(np.arange(512), np.arange(512)))
    flat = depth.ravel()
    points = (flat * (np.linalg.inv(K4 @ pose) @ np.stack([column, row, np.ones(flat.size), 1 / flat])))[:3].T
    top, bottom = points[256], points[-256]
    a, b = top[1] - bottom[1], top[2] - bottom[2]
    n = np.sqrt(a**2 + b**2)
    turn = np.array([[1, 0, 0], [0, b / n, -a / n], [0, a / n, b / n]])
    shift = np.array([0, bottom[1], bottom[2]])
    turned = (points - shift) @ turn.T
    gone = (turned[:, 1] > -0.02) | (turned[:, 2] > 1.8) | (np.abs(turned[:, 0]) > 1)
    back = turned @ turn + shift
    cloud = back[:, [0, 2, 1]] * [0.1, -0.1, 0.1]
    cloud[gone] = 0
    return cloud.reshape(512, 512, 3)


def test_the_cloud_is_the_published_scripts(belt_scene):
    depth, pose = belt_scene
    cloud = cloud_of(depth, pose, "script")
    expected = literal_cloud(depth, pose)
    assert cloud.dtype == np.float32
    np.testing.assert_allclose(cloud, expected, atol=1e-7)
    kept = (cloud != 0).any(axis=2)
    assert 0.05 < kept.mean() < 0.25  # the half ball, not the belt
    assert cloud[256, 256].all()
    assert not cloud[[0, -1]].any()


def test_the_cameras_frame_keeps_the_same_points_in_metres(belt_scene):
    depth, pose = belt_scene
    script, camera = cloud_of(depth, pose, "script"), cloud_of(depth, pose, "camera")
    np.testing.assert_array_equal(script.any(axis=2), camera.any(axis=2))
    kept = (camera != 0).any(axis=2)
    np.testing.assert_allclose(camera[kept][:, 2], depth[kept], rtol=1e-6)
    # both frames are rigid but for the scale of 0.1
    inside = np.argwhere(kept)[[0, -1]]
    first, last = (tuple(pixel) for pixel in inside)
    far = np.linalg.norm(camera[first] - camera[last])
    assert np.linalg.norm(script[first] - script[last]) == pytest.approx(0.1 * far, rel=1e-5)


def test_back_projection_hits_the_pixels_it_came_from():
    points = back_project(np.full((512, 512), 1.7))
    seen = points @ K4[:3, :3].T
    row, column = np.mgrid[:512, :512]
    np.testing.assert_allclose(seen[..., 0] / seen[..., 2], column, atol=1e-9)
    np.testing.assert_allclose(seen[..., 1] / seen[..., 2], row, atol=1e-9)


def test_sixteen_bits_span_the_range():
    raw = np.array([[0, 65535, 32767]], np.uint16)
    np.testing.assert_allclose(decode_depth(raw, 1.5, 2.5), [[1.5, 2.5, 1.5 + 32767 / 65535]])


def test_a_belt_without_length_is_refused():
    with pytest.raises(ValueError, match="depth or pose"):
        is_background(np.zeros((512, 512, 3)))
