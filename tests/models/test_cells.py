"""The picture of cells: depth where the sensor saw nothing, the order of a cell's pixels, and the part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.cells import CellsExtractor, depth_of, part_of
from models.layout import GridLayout
from models.picture import pixels_of
from models.preparation.prepare import Frame, PreparedPart
from models.rgb.extractor import RgbExtractor
from models.weights.store import WeightStore
from recipes.measured import Measured
from recipes.picture import CellsChoice

SIDE, SIZE = 24, 48
CHOICE = CellsChoice(None, depth_unit=0.01)


def part() -> PreparedPart:
    """A slope, 1 mm a column, between 0.5 and 0.531 m, in the middle of 8 pixels of nothing."""
    valid = np.zeros((SIZE, SIZE), np.bool_)
    valid[8:-8, 8:-8] = True
    xyz = np.zeros((SIZE, SIZE, 3), np.float32)
    xyz[8:-8, 8:-8, 2] = 0.5 + 0.001 * np.arange(32)
    rgb = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    return PreparedPart(rgb, xyz, valid, Frame(SIZE, SIZE, 0, 0, SIZE, SIZE), None)


def without(of: PreparedPart, rows: slice, columns: slice) -> PreparedPart:
    valid = of.valid.copy()
    valid[rows, columns] = False
    return replace(of, valid=valid, xyz=np.where(valid[..., None], of.xyz, np.float32(0)))


def test_depth_is_above_or_below_the_mean_and_0_where_the_part_is_not() -> None:
    depth, there = depth_of(part())
    np.testing.assert_array_equal(there, part().valid)
    assert not depth[~there].any()
    np.testing.assert_allclose(depth[20, 8:-8], 0.001 * (np.arange(32) - 15.5), atol=1e-6)


def test_small_holes_take_the_depth_around_them_and_large_ones_stay() -> None:
    whole, _ = depth_of(part())
    depth, there = depth_of(without(part(), slice(20, 23), slice(20, 23)))
    assert there[20:23, 20:23].all()
    np.testing.assert_allclose(depth[20:23, 20:23], whole[20:23, 20:23], atol=1.1e-3)
    assert depth[21, 21] == pytest.approx(whole[21, 21], abs=2e-4)
    _, there = depth_of(without(part(), slice(14, 34), slice(14, 34)))
    assert not there[24, 24]


def test_a_part_without_a_cloud_is_everywhere_and_flat() -> None:
    depth, there = depth_of(without(part(), slice(None), slice(None)))
    assert there.all()
    assert not depth.any()


def test_a_cell_has_its_pixels_in_order_and_how_much_of_it_is_the_part() -> None:
    (patches,) = CellsExtractor(CHOICE, None)([part()])
    assert (patches.layout, patches.rows.shape) == (GridLayout(SIDE), (SIDE**2, 5))
    depth, _ = depth_of(part())
    cells, there = part_of(pixels_of(patches)[None])
    for row, column in ((4, 4), (10, 15), (0, 0)):
        pixels = depth[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel() / 0.01
        np.testing.assert_allclose(cells[0, :, row, column].numpy(), pixels, rtol=1e-5)
    assert there[0, 10, 10] == 1
    assert 0 < there[0, 10, 3] < 1, "the cell beside the part shows its edge"
    assert there[0, 10, 2] == 0


def test_an_image_network_s_channels_come_first_and_depth_can_be_left_out() -> None:
    choice = CellsChoice("efficientnet_lite1", stages=(3,), depth=False, depth_unit=0.01)
    image = choice.image
    assert image is not None
    network = RgbExtractor.load(
        image.backbone, WeightStore(), size=96, stages=image.stages, side=image.side, averaged=image.averaged
    )
    (plain,) = network([part()])
    (coloured,) = CellsExtractor(choice, network)([part()])
    (both,) = CellsExtractor(replace(choice, depth=True), network)([part()])
    (alone,) = CellsExtractor(CHOICE, None)([part()])
    assert torch.equal(coloured.rows, torch.cat([plain.rows, alone.rows[:, -1:]], dim=1))
    assert torch.equal(both.rows, torch.cat([plain.rows, alone.rows], dim=1))


def test_the_unit_of_depth_follows_the_product() -> None:
    flat = Measured(3, 1e-3, 1e-3, noise=None, field=0.2, extent=0.1, height=0.006)
    assert CellsChoice(None).resolved(None).depth_unit == pytest.approx(0.01)
    assert CellsChoice(None).resolved(flat).depth_unit == pytest.approx(0.002)
    assert CHOICE.resolved(flat) == CHOICE
    with pytest.raises(ValueError, match="resolve"):
        CellsExtractor(CellsChoice(None), None)
    with pytest.raises(ValueError, match="backbone, or depth"):
        CellsChoice(None, depth=False)
