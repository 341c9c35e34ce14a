"""Patches of plain colour: their grid, what moves them, and what does not, such as shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.colour.extractor import ColourExtractor, usual_colour
from models.extraction import Extractor
from models.layout import GridLayout
from models.preparation.prepare import PreparedPart
from models.weights.store import WeightStore
from recipes.colour import CHANNELS, ColourChoice
from recipes.extraction import Extraction

CHOICE = ColourChoice()
SIDE, SIZE = 28, 224


@pytest.fixture(scope="module")
def part(golden_part: Callable[[int], PreparedPart]) -> PreparedPart:
    return golden_part(3)


@pytest.fixture(scope="module")
def choice(golden_part: Callable[[int], PreparedPart]) -> ColourChoice:
    return usual_colour(CHOICE, [golden_part(number) for number in range(3)])


def _rows(part: PreparedPart, choice: ColourChoice = CHOICE) -> NDArray[np.float32]:
    (patches,) = ColourExtractor(choice)([part])
    return patches.rows.numpy()


def _middle(part: PreparedPart) -> tuple[int, int]:
    """Row and column of the part's middle, in patches."""
    rows, columns = np.nonzero(part.valid)
    return int(np.median(rows)) // 8, int(np.median(columns)) // 8


def _stained(part: PreparedPart, shade: tuple[float, float, float]) -> PreparedPart:
    """With 3 x 3 patches in the middle in another shade."""
    (row, column), image = _middle(part), part.rgb.copy()
    step = len(image) // SIDE
    place = np.s_[(row - 1) * step : (row + 2) * step, (column - 1) * step : (column + 2) * step]
    image[place] = (image[place] * np.array(shade)).astype(np.uint8)
    return replace(part, image=image)


def test_a_part_has_one_grid_without_what_hardly_shows_it(part: PreparedPart) -> None:
    features, milliseconds = Extractor(Extraction(colour=CHOICE), WeightStore(), rgb_size=SIZE)(part)
    assert list(milliseconds) == ["colour"]
    grid = features["colour"]
    assert grid.layout == GridLayout(SIDE)
    assert grid.rows.shape == (SIDE * SIDE, CHANNELS)
    assert grid.rows.isfinite().all()
    rows = grid.rows.numpy().any(axis=1).reshape(SIDE, SIDE)
    share = part.valid.reshape(SIDE, 8, SIDE, 8).mean(axis=(1, 3))
    assert not (rows & (share < 0.25)).any()
    assert rows[share == 1].all()


def test_means_and_spreads_are_those_of_the_patch(part: PreparedPart) -> None:
    row, column = _middle(part)
    step = len(part.rgb) // SIDE
    pixels = part.rgb[row * step : (row + 1) * step, column * step : (column + 1) * step].reshape(-1, 3) / 255
    light = pixels.mean(axis=1)
    red, green, blue = pixels.T
    planes = np.stack([0.5 * light, (red - green) / (light + 0.1), (green - blue) / (light + 0.1)])
    found = _rows(part)[row * SIDE + column]
    np.testing.assert_allclose(found[:3], planes.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(found[3:6], planes.std(axis=1), atol=1e-4)


def test_a_stain_moves_the_patches_at_its_place_and_a_stronger_one_more(
    part: PreparedPart, choice: ColourChoice
) -> None:
    before, (row, column), moved = _rows(part, choice), _middle(part), []
    for shade in ((1.0, 1.0, 0.9), (1.0, 1.0, 0.7)):
        difference = np.linalg.norm(_rows(_stained(part, shade), choice) - before, axis=1)
        found = divmod(int(difference.argmax()), SIDE)
        assert max(abs(found[0] - row), abs(found[1] - column)) <= 1
        moved.append(difference.max())
    assert moved[1] > 1.5 * moved[0] > 0


def test_the_last_channels_are_what_differs_from_around(part: PreparedPart) -> None:
    row, column = _middle(part)
    at = row * SIDE + column
    plain = replace(part, image=np.full_like(part.rgb, 90))
    assert np.abs(_rows(plain)[:, 3:]).max() < 1e-3
    stained = _rows(_stained(plain, (1.0, 1.0, 0.7)))[at]
    assert 0.3 * (stained[2] - _rows(plain)[at, 2]) < stained[8] < stained[2] - _rows(plain)[at, 2]


def test_what_lies_outside_the_part_does_not_matter(part: PreparedPart, choice: ColourChoice) -> None:
    step = len(part.rgb) // SIZE
    outside = ~np.kron(part.valid, np.ones((step, step), bool))
    other = part.rgb.copy()
    other[outside] = 200
    np.testing.assert_array_equal(_rows(replace(part, image=other), choice), _rows(part, choice))


def test_shape_does_not_matter(part: PreparedPart, choice: ColourChoice) -> None:
    deeper = replace(part, xyz=part.xyz * np.float32(3))
    np.testing.assert_array_equal(_rows(deeper, choice), _rows(part, choice))


def test_what_is_usual_has_the_middle_0(part: PreparedPart, choice: ColourChoice) -> None:
    assert choice.usual is not None
    rows = _rows(part, choice)
    inner = rows[rows.any(axis=1)]
    assert (np.abs(np.median(inner, axis=0)) < 1.5).all()
    assert np.abs(inner).max() < 30


def test_a_part_without_points_has_no_rows_and_tells_nothing_usual(part: PreparedPart) -> None:
    nothing = replace(part, valid=np.zeros_like(part.valid), xyz=np.zeros_like(part.xyz))
    assert not _rows(nothing).any()
    for parts in ([nothing], []):
        assert usual_colour(CHOICE, parts).usual is None


def test_a_channel_that_does_not_vary_keeps_its_unit(part: PreparedPart) -> None:
    usual = usual_colour(CHOICE, [replace(part, image=np.full_like(part.rgb, 90))]).usual
    assert usual is not None
    assert usual[0][1] == 1
