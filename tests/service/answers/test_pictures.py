from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from plyfile import PlyData

from banks.decision.colour_scale import Scale, color_table
from models.sample import Sample
from service.answers.pictures import cloud_ply, map_npy, overlay, overlay_png

SCALE = Scale(low=1.0, high=3.0, outline=2.0)


@pytest.fixture
def sample() -> Sample:
    """A grey part of 40 x 60 pixels with a hole in its cloud."""
    xyz = np.zeros((40, 60, 3), np.float32)
    xyz[..., 0] = np.linspace(-0.1, 0.1, 60)
    xyz[..., 1] = np.linspace(-0.05, 0.05, 40)[:, None]
    xyz[..., 2] = 0.5
    valid = np.ones((40, 60), bool)
    valid[:5, :5] = False
    xyz[~valid] = 0
    return Sample(np.full((40, 60, 3), 100, np.uint8), xyz, valid)


def test_colors_grow_lighter_evenly() -> None:
    table = color_table().astype(float)
    luminance = table @ [0.2126, 0.7152, 0.0722]
    assert table.shape == (256, 3)
    assert (np.diff(luminance) > -1.0).all()
    assert luminance[0] < 5
    assert luminance[-1] > 200


def test_a_good_part_stays_as_it_is(sample: Sample) -> None:
    picture = overlay(sample, np.full((40, 60), 0.9, np.float32), SCALE)
    assert np.array_equal(picture, sample.rgb)


def test_the_same_score_has_the_same_color_whatever_else_the_part_shows(sample: Sample) -> None:
    calm = np.full((40, 60), 1.5, np.float32)
    wild = calm.copy()
    wild[20:, 30:] = 50.0
    assert np.array_equal(overlay(sample, calm, SCALE)[:19, :29], overlay(sample, wild, SCALE)[:19, :29])


def test_regions_are_outlined(sample: Sample) -> None:
    scores = np.zeros((40, 60), np.float32)
    scores[10:20, 10:20] = 2.5
    picture = overlay(sample, scores, SCALE)
    assert (picture[10, 10:20] == 255).all()
    assert (picture[12:18, 12:18] != 255).any(axis=2).all()
    assert (picture[9, 10:20] == 100).all()


def test_overlay_png_has_the_source_size_and_names_its_scale(sample: Sample) -> None:
    with Image.open(io.BytesIO(overlay_png(sample, np.zeros((40, 60), np.float32), SCALE))) as image:
        assert image.size == (60, 40)
        assert image.info["Tribank-Scale-Low"] == "1.0"
        assert image.info["Tribank-Scale-High"] == "3.0"


def test_a_scale_without_extent_does_not_divide_by_zero(sample: Sample) -> None:
    overlay(sample, np.ones((40, 60), np.float32), Scale(1.0, 1.0, 1.0))


def test_a_part_without_color_shows_its_depth(sample: Sample) -> None:
    bare = Sample(np.zeros_like(sample.rgb), sample.xyz, sample.valid)
    picture = overlay(bare, np.zeros((40, 60), np.float32), SCALE)
    assert (picture[~bare.valid] == 0).all()
    assert (picture[bare.valid] > 0).all()


def test_cloud_holds_every_valid_point_with_its_score(sample: Sample) -> None:
    scores = np.arange(2400, dtype=np.float32).reshape(40, 60)
    vertices = PlyData.read(io.BytesIO(cloud_ply(sample, scores, SCALE)))["vertex"]
    assert len(vertices.data) == sample.valid.sum()
    assert np.array_equal(vertices["score"], scores[sample.valid])
    assert np.array_equal(vertices["x"], sample.xyz[..., 0][sample.valid])
    assert {"red", "green", "blue"} <= {p.name for p in vertices.properties}


def test_map_is_plain_float32() -> None:
    scores = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(np.load(io.BytesIO(map_npy(scores)), allow_pickle=False), scores)
