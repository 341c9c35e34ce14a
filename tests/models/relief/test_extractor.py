"""Patches of relief: their grid, what moves them, and what does not, such as size and turning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.extraction import Extractor
from models.layout import GridLayout
from models.preparation.prepare import PreparedPart
from models.relief.extractor import ReliefExtractor, usual_relief
from models.weights.store import WeightStore
from recipes.extraction import Extraction
from recipes.relief import CHANNELS, ReliefChoice

CHOICE = ReliefChoice(unit=0.0005)
SIDE, SIZE = 56, 224
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]


@pytest.fixture(scope="module")
def part(golden_part: Callable[[int], PreparedPart]) -> PreparedPart:
    return golden_part(3)


@pytest.fixture(scope="module")
def choice(golden_part: Callable[[int], PreparedPart]) -> ReliefChoice:
    return usual_relief(CHOICE, [golden_part(number) for number in range(3)])


def _rows(part: PreparedPart, choice: ReliefChoice = CHOICE) -> NDArray[np.float32]:
    (patches,) = ReliefExtractor(choice)([part])
    return patches.rows.numpy()


def _lowered(part: PreparedPart, depth: NDArray[np.float64]) -> PreparedPart:
    """With the surface that much further away, metres."""
    xyz = part.xyz.copy()
    xyz[..., 2] += (depth * part.valid).astype(np.float32)
    return replace(part, xyz=xyz)


def _hollow(part: PreparedPart, depth: float, radius: float) -> tuple[PreparedPart, tuple[int, int]]:
    """With a smooth hollow in the middle of the part, and the patch there."""
    rows, columns = np.nonzero(part.valid)
    y, x = int(np.median(rows)), int(np.median(columns))
    away = np.hypot(ROWS - y, COLUMNS - x) / radius
    return _lowered(part, depth * np.clip(1 - away**2, 0, 1) ** 2), (y // 4, x // 4)


def test_a_part_has_one_grid_without_its_edge(part: PreparedPart) -> None:
    features, milliseconds = Extractor(Extraction(relief=CHOICE), WeightStore(), rgb_size=SIZE)(part)
    assert list(milliseconds) == ["relief"]
    grid = features["relief"]
    assert grid.layout == GridLayout(SIDE)
    assert grid.rows.shape == (SIDE * SIDE, CHANNELS)
    assert grid.rows.isfinite().all()
    rows = grid.rows.numpy().any(axis=1).reshape(SIDE, SIDE)
    shown = part.valid.reshape(SIDE, 4, SIDE, 4).any(axis=(1, 3))
    assert not (rows & ~shown).any()
    assert 0.3 < rows.sum() / shown.sum() < 1


def test_what_is_usual_has_the_middle_0(choice: ReliefChoice, part: PreparedPart) -> None:
    assert choice.usual is not None
    assert choice.inside is not None
    assert 0.3 < choice.inside <= 0.7
    rows = _rows(part, choice)
    inner = rows[rows.any(axis=1)]
    assert (np.abs(np.median(inner, axis=0)) < 1.5).all()
    assert np.abs(inner).max() < 30


def test_a_hollow_moves_the_patches_at_its_place_and_a_deeper_one_more(
    part: PreparedPart, choice: ReliefChoice
) -> None:
    before, moved = _rows(part, choice), []
    for depth in (0.001, 0.003):
        hollow, (y, x) = _hollow(part, depth, 16.0)
        difference = _rows(hollow, choice) - before
        moved.append(np.linalg.norm(difference, axis=1).max())
        row, column = divmod(int(np.abs(difference[:, 1]).argmax()), SIDE)
        assert max(abs(row - y), abs(column - x)) <= 2
        assert difference[row * SIDE + column, 1] < 0, "lower than the surface around it"
    assert moved[1] > 1.5 * moved[0] > 0


def test_colour_moves_the_last_channels_alone(part: PreparedPart, choice: ReliefChoice) -> None:
    painted = replace(part, image=255 - part.rgb)
    moved = np.abs(_rows(painted, choice) - _rows(part, choice)).max(axis=0)
    assert not moved[:-3].any()
    assert (moved[-3:] > 0.1).any()


@pytest.mark.parametrize("factor", [0.03, 30])
def test_a_part_of_any_size_has_the_same_rows(part: PreparedPart, factor: float) -> None:
    sized = replace(part, xyz=(part.xyz.astype(np.float64) * factor).astype(np.float32))
    np.testing.assert_allclose(
        _rows(sized, replace(CHOICE, unit=factor * 0.0005)), _rows(part), rtol=1e-2, atol=2e-3
    )


def test_how_far_away_a_part_is_does_not_matter(part: PreparedPart) -> None:
    np.testing.assert_allclose(_rows(_lowered(part, np.full((SIZE, SIZE), 0.1))), _rows(part), atol=2e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_part_has_turned_rows(part: PreparedPart, quarters: int) -> None:
    turned = replace(
        part,
        image=np.ascontiguousarray(np.rot90(part.rgb, quarters)),
        xyz=np.ascontiguousarray(np.rot90(part.xyz, quarters)),
        valid=np.ascontiguousarray(np.rot90(part.valid, quarters)),
    )
    grid = _rows(part).reshape(SIDE, SIDE, CHANNELS)
    np.testing.assert_allclose(
        _rows(turned).reshape(SIDE, SIDE, CHANNELS), np.rot90(grid, quarters), atol=1e-4
    )


def test_points_without_a_return_hardly_move_the_rows(part: PreparedPart, choice: ReliefChoice) -> None:
    _, (y, x) = _hollow(part, 0.0, 1.0)
    holed = part.valid & ~(np.hypot(ROWS - 4 * y, COLUMNS - 4 * x) < 3)
    assert holed.sum() < part.valid.sum()
    without = replace(part, valid=holed, xyz=np.where(holed[..., None], part.xyz, np.float32(0)))
    before, after = _rows(part, choice), _rows(without, choice)
    both = before.any(axis=1) & after.any(axis=1)
    hollow, _ = _hollow(part, 0.003, 16.0)
    moved = np.linalg.norm((after - before)[both], axis=1).max()
    assert moved < 0.5 * np.linalg.norm(_rows(hollow, choice) - before, axis=1).max()


def test_a_slim_part_has_rows_too(part: PreparedPart) -> None:
    slim = part.valid & (np.abs(COLUMNS - int(np.median(np.nonzero(part.valid)[1]))) < 4)
    thin = replace(part, valid=slim, xyz=np.where(slim[..., None], part.xyz, np.float32(0)))
    assert not _rows(thin).any(), "a patch well inside a part that is not slim"
    found = usual_relief(CHOICE, [thin])
    assert found.least_share < CHOICE.least_share
    assert _rows(thin, found).any()


def test_a_part_without_points_has_no_rows_and_tells_nothing_usual(part: PreparedPart) -> None:
    nothing = replace(part, valid=np.zeros_like(part.valid), xyz=np.zeros_like(part.xyz))
    assert not _rows(nothing).any()
    for parts in ([nothing], []):
        assert usual_relief(CHOICE, parts).usual is None


def test_a_channel_that_does_not_vary_keeps_its_unit(part: PreparedPart) -> None:
    usual = usual_relief(CHOICE, [replace(part, image=np.full_like(part.rgb, 90))]).usual
    assert usual is not None
    assert [spread for _, spread in usual[-3:]] == [1, 1, 1]


def test_a_choice_must_be_resolved(part: PreparedPart) -> None:
    with pytest.raises(ValueError, match="resolve"):
        _rows(part, ReliefChoice())
