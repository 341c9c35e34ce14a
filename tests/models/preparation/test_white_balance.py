from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.preparation.white_balance import balanced, colours_of, usual_balance
from recipes.preparation import Balance

DRIFTS = [(1.05, 1.0, 1.0), (0.95, 1.0, 1.0), (1.0, 1.05, 1.0), (1.0, 1.0, 0.95), (1.05, 1.0, 0.95)]


@pytest.fixture(scope="module")
def part() -> NDArray[np.uint8]:
    """A brown, grained part on a removed background."""
    grain = np.random.default_rng(0).normal(1, 0.1, (112, 112, 1))
    image = np.clip(np.array([150, 110, 80]) * grain, 20, 240).astype(np.uint8)
    image[:30] = 0
    return image


@pytest.fixture(scope="module")
def usual(part: NDArray[np.uint8]) -> Balance:
    found = usual_balance([part])
    assert found is not None
    return found


def drifted(image: NDArray[np.uint8], gains: tuple[float, float, float]) -> NDArray[np.uint8]:
    return np.clip(np.rint(image * np.array(gains)), 0, 255).astype(np.uint8)


def chroma(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    found = colours_of(image)
    assert found is not None
    return np.array(found)


def test_the_balance_is_of_the_part_and_not_of_its_background(usual: Balance) -> None:
    assert usual == pytest.approx((np.log(150 / 110), np.log(80 / 110), 0), abs=0.01)


@pytest.mark.parametrize("gains", DRIFTS)
def test_a_drift_of_the_camera_is_taken_back(
    part: NDArray[np.uint8], usual: Balance, gains: tuple[float, float, float]
) -> None:
    seen = drifted(part, gains)
    assert np.abs(chroma(seen) - usual[:2]).max() > 0.04
    back = balanced(seen, usual, 0.05)
    assert chroma(back) == pytest.approx(usual[:2], abs=0.006)
    assert back.mean() == pytest.approx(seen.mean(), rel=0.02)
    assert not back[:30].any()


def test_a_part_of_another_colour_stays_another(part: NDArray[np.uint8], usual: Balance) -> None:
    seen = drifted(part, (1.3, 1.0, 0.7))
    moved, left = chroma(seen) - usual[:2], chroma(balanced(seen, usual, 0.05)) - usual[:2]
    assert np.abs(moved - left).max() < 0.065
    assert np.abs(left).max() > 0.2


def test_a_stain_hardly_moves_the_balance(part: NDArray[np.uint8], usual: Balance) -> None:
    stained = part.copy()
    stained[60:90, 40:70] = drifted(stained[60:90, 40:70], (0.6, 0.5, 0.4))
    assert np.abs(chroma(stained) - usual[:2]).max() < 0.01


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_grey_picture_stays_as_it_is(part: NDArray[np.uint8], level: int) -> None:
    grey = np.repeat(part[..., :1], 3, axis=-1) if level == 90 else np.full_like(part, level)
    assert np.array_equal(balanced(grey, (0.0, 0.0, 0.0), 0.05), grey)


def test_without_colour_there_is_no_balance(part: NDArray[np.uint8]) -> None:
    assert usual_balance([np.zeros_like(part), np.full_like(part, 255)]) is None
    known = usual_balance([np.zeros_like(part), part, part])
    assert known == pytest.approx((*chroma(part), 0), abs=1e-4)


def test_what_good_parts_differ_by_is_taken_back_beside_the_drift(part: NDArray[np.uint8]) -> None:
    """One part of another colour does not count as what good parts differ by."""
    gains = (1.0, 1.02, 0.98, 1.01, 0.99, 1.6)
    usual = usual_balance(drifted(part, (gain, 1.0, 1.0)) for gain in gains)
    assert usual is not None
    assert 0.01 < usual[2] < 0.05
    seen = drifted(part, (1.05 * 1.02, 1.0, 0.95))
    narrow = balanced(seen, (*usual[:2], 0.0), 0.05)
    assert np.abs(chroma(balanced(seen, usual, 0.05)) - usual[:2]).max() < 0.006
    assert np.abs(chroma(narrow) - usual[:2]).max() > 0.006
