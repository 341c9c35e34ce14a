"""The picture of a part: its channels, and what they show where the sensor saw nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.features import Patches
from models.layout import GridLayout, GroupLayout
from models.picture import BACKGROUND, PictureExtractor, pixels_of
from models.preparation.prepare import Frame, PreparedPart
from recipes.extraction import Extraction
from recipes.measured import Measured
from recipes.picture import PictureChannels, PictureChoice

SIDE = 24
COUNTS: dict[PictureChannels, int] = {"rgb": 3, "rgbd": 4, "rgbcdn": 7}


def part(valid: NDArray[np.bool_] | None = None) -> PreparedPart:
    """A grey slope, 1 mm a column, between 0.5 and 0.523 m, in the middle of a black frame of 4 pixels."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    if valid is None:
        valid = np.zeros((SIDE, SIDE), np.bool_)
        valid[4:-4, 4:-4] = True
    xyz = np.stack([0.001 * x, 0.001 * y, 0.5 + 0.001 * x], axis=-1)
    rgb = np.where(valid[..., None], np.array([51, 102, 204]), 0).astype(np.uint8)
    frame = Frame(SIDE, SIDE, 0, 0, SIDE, SIDE)
    return PreparedPart(rgb, np.where(valid[..., None], xyz, 0).astype(np.float32), valid, frame, None)


def picture(choice: PictureChoice, of: PreparedPart) -> NDArray[np.float32]:
    """(side, side, C)."""
    (patches,) = PictureExtractor(choice)([of])
    return pixels_of(patches).permute(1, 2, 0).numpy()


def test_channels_are_in_0_to_1_and_flat_far_and_black_where_the_part_is_not() -> None:
    for channels, count in COUNTS.items():
        seen = picture(PictureChoice(channels, depth_range=0.04), part())
        assert seen.shape == (SIDE, SIDE, count)
        assert (seen[:4] == np.array(BACKGROUND[:count], np.float32)).all()
        assert (seen.min(), seen.max() <= 1) == (0, True)
        np.testing.assert_allclose(seen[12, 12, :3], [0.2, 0.4, 0.8])


def test_depth_goes_from_the_nearest_point_to_the_farthest_or_is_clipped() -> None:
    whole = picture(PictureChoice("rgbd"), part())[12, 4:20, 3]
    np.testing.assert_allclose(whole, np.arange(16) / 15, atol=1e-4)
    clipped = picture(PictureChoice("rgbcdn", depth_range=0.01), part())[12, 4:20, 3]
    np.testing.assert_allclose(clipped, np.clip((np.arange(16) - 7.5) / 10 + 0.5, 0, 1), atol=1e-4)
    assert PictureChoice("rgbcdn").resolved(None).depth_range == 0.06
    measured = Measured(1, 0.001, 0.001, None, 0.1, 0.1, height=0.01)
    assert Extraction(picture=PictureChoice("rgbcdn")).resolved(measured).picture == PictureChoice(
        "rgbcdn", depth_range=0.02
    )
    with pytest.raises(ValueError, match="follows the product"):
        PictureExtractor(PictureChoice("rgbcdn"))


def test_a_plane_looks_along_its_own_mean_normal_however_it_is_tilted() -> None:
    seen = picture(PictureChoice("rgbcdn", depth_range=0.04), part())
    np.testing.assert_allclose(seen[8:16, 8:16, 4:], np.broadcast_to([0.5, 0.5, 1], (8, 8, 3)), atol=1e-3)


def test_small_holes_take_the_nearest_point_and_large_ones_stay() -> None:
    whole = part()
    valid = whole.valid.copy()
    valid[6:9, 6:9] = False
    valid[11:19, 11:19] = False
    seen, full = (picture(PictureChoice("rgbd"), one) for one in (part(valid), whole))
    np.testing.assert_array_equal(seen[6:9, 6:9, :3], full[6:9, 6:9, :3])
    np.testing.assert_allclose(seen[7, 6:9, 3], full[7, 6:9, 3], atol=2.1 / 15)
    assert (seen[13:17, 13:17] == np.array(BACKGROUND[:4], np.float32)).all()


def test_another_size_of_the_image_is_the_picture_s() -> None:
    small = replace(part(), image=part().rgb[::2, ::2])
    seen = picture(PictureChoice("rgbd"), small)
    assert seen.shape == (12, 12, 4)
    np.testing.assert_allclose(seen[6, 2:10, 3], np.arange(1, 17, 2) / 15, atol=1e-4)


def test_a_part_without_a_cloud_has_a_picture_and_groups_have_none() -> None:
    empty = replace(part(), valid=np.zeros((SIDE, SIDE), np.bool_))
    assert picture(PictureChoice("rgb"), empty)[12, 12].any()
    for channels in list(COUNTS)[1:]:
        deep = picture(PictureChoice(channels, depth_range=0.1), empty)[..., 3:]
        assert (deep == np.array(BACKGROUND[3 : 3 + deep.shape[2]], np.float32)).all()
    with pytest.raises(ValueError, match="no picture"):
        pixels_of(Patches(torch.zeros(2, 3), GroupLayout(np.array([1, 5]), 4)))
    assert pixels_of(Patches(torch.arange(8.0).reshape(4, 2), GridLayout(2)))[1].tolist() == [[1, 3], [5, 7]]


def test_a_picture_needs_a_cloud_only_for_depth() -> None:
    assert Extraction(picture=PictureChoice("rgb")).needs() == ("rgb",)
    assert Extraction(picture=PictureChoice("rgbd")).needs() == ("rgb", "xyz")
    with pytest.raises(ValueError, match="gain"):
        PictureChoice(gain=0)
