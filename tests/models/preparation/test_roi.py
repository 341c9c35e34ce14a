"""The region of interest: polygons and pictures to pixels, and what preparation leaves of a part."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.preparation.prepare import prepare
from models.preparation.roi import Roi, from_png, read_roi
from models.sample import BadSample, Sample, make_sample
from recipes.preparation import Preparation
from tests.models.readers.image_kinds import deep_png
from tests.scenes import scene

SHAPE = (40, 50)
SQUARE = [[10, 5], [30, 5], [30, 20], [10, 20]]


def polygons(*areas: dict[str, Any], **others: Any) -> bytes:
    return json.dumps({"polygons": areas, **others}).encode()


def png(levels: np.ndarray, mode: str = "L") -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).convert(mode).save(file, "PNG")
    return file.getvalue()


def test_a_pixel_belongs_to_the_area_that_its_centre_lies_in() -> None:
    bits = read_roi(polygons({"points": SQUARE}), SHAPE).bits
    expected = np.zeros(SHAPE, np.uint8)
    expected[5:20, 10:30] = 3
    np.testing.assert_array_equal(bits, expected)
    shifted = read_roi(polygons({"points": [[x + 0.4, y - 0.4] for x, y in SQUARE]}), SHAPE).bits
    np.testing.assert_array_equal(shifted, expected)
    triangle = read_roi(polygons({"points": [[0, 0], [50, 0], [0, 40]]}), SHAPE).bits > 0
    rows, columns = np.mgrid[:40, :50] + 0.5
    np.testing.assert_array_equal(triangle, columns / 50 + rows / 40 < 1)


def test_the_later_of_two_areas_counts() -> None:
    roi = polygons(
        {"points": SQUARE, "look": "colour"},
        {"points": [[20, 0], [50, 0], [50, 40], [20, 40]], "look": "shape"},
        elsewhere="both",
    )
    bits = read_roi(roi, SHAPE).bits
    assert (bits[10, 15], bits[10, 25], bits[30, 25], bits[30, 5]) == (1, 2, 2, 3)


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_picture_says_the_same(mode: str) -> None:
    levels = np.zeros(SHAPE, np.uint8)
    levels[5:20, 10:20], levels[5:20, 20:30], levels[25:30] = 85, 170, 255
    roi = read_roi(png(levels, mode), SHAPE)
    np.testing.assert_array_equal(roi.bits, levels // 85)
    np.testing.assert_array_equal(from_png(roi.to_png()).bits, roi.bits)


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (png(np.full(SHAPE, 13)), "roi_invalid", "13"),
        (deep_png(np.full(SHAPE, 85 * 257, np.uint16)), "roi_invalid", "21845"),
        (png(np.zeros(SHAPE)), "roi_invalid", "no pixel"),
        (png(np.full((40, 51), 255)), "roi_size", "40 x 51"),
        (png(np.full(SHAPE, 255))[:60], "roi_invalid", "PNG"),
        (b"", "roi_invalid", ""),
        (b"[]", "roi_invalid", ""),
        (polygons(), "roi_invalid", "polygons"),
        (polygons({"points": SQUARE[:2]}), "roi_invalid", "points"),
        (polygons({"points": [[0, 0], [1, float("nan")], [2, 2]]}), "roi_invalid", "points"),
        (polygons({"points": SQUARE, "look": "smell"}), "roi_invalid", "look"),
        (polygons({"points": SQUARE, "look": "nothing"}), "roi_invalid", "elsewhere"),
        (polygons({"points": [[90, 90], [99, 90], [99, 99]]}), "roi_invalid", "no pixel"),
        (polygons({"points": SQUARE}, width=51), "roi_size", "40 x 51"),
    ],
)
def test_what_cannot_be_used_is_refused(content: bytes, code: str, word: str) -> None:
    with pytest.raises(BadSample) as refused:
        read_roi(content, SHAPE)
    assert refused.value.code == code
    assert word in str(refused.value)


@pytest.fixture(scope="module")
def dome() -> Sample:
    xyz = scene(noise=0.00005)
    return make_sample(np.full(xyz.shape, 200, np.uint8), xyz)


def quarters() -> Roi:
    """Upper left: nothing. Upper right: colour. Lower left: shape. Lower right: both."""
    bits = np.zeros((400, 400), np.uint8)
    bits[:200, 200:], bits[200:, :200], bits[200:, 200:] = 1, 2, 3
    return Roi(bits)


@pytest.mark.parametrize("settings", [Preparation(), Preparation("none"), Preparation(window=264)])
def test_what_is_not_looked_at_is_not_there(settings: Preparation, dome: Sample) -> None:
    whole, part = prepare(dome, settings), prepare(dome, settings, quarters())
    assert part.frame == whole.frame
    assert part.look is not None
    shape, colour = part.look & 2 > 0, part.look & 1 > 0
    np.testing.assert_array_equal(part.valid, whole.valid & shape)
    np.testing.assert_array_equal(part.xyz[part.valid], whole.xyz[part.valid])
    assert not part.xyz[~part.valid].any()
    middle = slice(20, 204)  # bicubic resizing mixes colours at a border
    inner = np.abs(np.arange(224) - 112) > 3
    differs = (part.rgb != whole.rgb * colour[..., None]).any(axis=2) & inner & inner[:, None]
    assert not differs[middle, middle].any()
    assert part.rgb[130:200, 130:200].any()


def test_a_larger_piece_outside_is_not_the_part(dome: Sample) -> None:
    xyz = dome.xyz.copy()
    xyz[20:60, 20:60, 2] -= 0.03
    small = Roi(np.zeros((400, 400), np.uint8))
    small.bits[10:70, 10:70] = 3
    part = prepare(make_sample(dome.rgb, xyz), Preparation(min_points=100), small)
    assert part.look is not None
    assert part.valid.sum() == pytest.approx((40 * 224 / 400) ** 2, rel=0.1)
    with pytest.raises(BadSample) as refused:
        prepare(make_sample(dome.rgb[:300], xyz[:300]), Preparation(), small)
    assert refused.value.code == "roi_size"
