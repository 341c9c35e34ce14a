"""PaDiM's Gaussians in both forms against a plain inverse of each place's covariance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from banks.methods.padim import gaussians
from banks.methods.padim.axes import Axes
from banks.methods.padim.factors import Factors
from banks.methods.padim.gaussians import Gaussians

PARTS, PLACES, WIDTH = 12, 7, 5
REGULARISER = 0.01


def _rows(parts: int, seed: int) -> NDArray[np.float32]:
    """(parts, P, d) with another centre and another spread at each place."""
    draw = np.random.default_rng(seed)
    spread = np.random.default_rng(99).uniform(0.5, 3, (PLACES, WIDTH))
    centre = np.random.default_rng(98).normal(0, 5, (PLACES, WIDTH))
    return (centre + spread * draw.standard_normal((parts, PLACES, WIDTH))).astype(np.float32)


def _fitted(
    rows: NDArray[np.float32], regulariser: float = REGULARISER, axes: int | None = None
) -> Gaussians:
    """By factors, or by so many axes at most."""

    def some(places: slice) -> torch.Tensor:
        return torch.from_numpy(rows[:, places]).double()

    more = regulariser, lambda done, total: None
    shape = len(rows), PLACES, WIDTH
    return Factors.fit(some, shape, *more) if axes is None else Axes.fit(some, shape, axes, *more)


def _plain(train: NDArray[np.float32], part: NDArray[np.float32], regulariser: float) -> list[float]:
    """The published formula, place by place."""
    found = []
    for place in range(train.shape[1]):
        seen = train[:, place].astype(np.float64)
        covariance = np.cov(seen, rowvar=False) + regulariser * np.identity(seen.shape[1])
        deviation = part[place] - seen.mean(axis=0)
        found.append(np.sqrt(deviation @ np.linalg.inv(covariance) @ deviation))
    return found


FORMS = pytest.mark.parametrize("axes", [None, 100], ids=["factors", "axes"])


@FORMS
def test_distances_are_those_of_the_plain_formula(axes: int | None) -> None:
    train, part = _rows(PARTS, 0), _rows(1, 1)[0]
    found = _fitted(train, axes=axes).distances(torch.from_numpy(part))
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), _plain(train, part, REGULARISER), rtol=1e-6)


@FORMS
def test_fewer_parts_than_channels_give_a_covariance_by_the_regulariser(axes: int | None) -> None:
    train, part = _rows(3, 0), _rows(1, 1)[0]
    found = _fitted(train, axes=axes).distances(torch.from_numpy(part)).numpy()
    np.testing.assert_allclose(found, _plain(train, part, REGULARISER), rtol=1e-5)
    assert (found > _fitted(train, 1.0).distances(torch.from_numpy(part)).numpy()).all()


@FORMS
def test_places_are_fitted_piece_by_piece(axes: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    train, part = _rows(PARTS, 0), torch.from_numpy(_rows(1, 1)[0])
    at_once = _fitted(train, axes=axes)
    monkeypatch.setattr(gaussians, "_PIECE", 1)
    one_by_one = _fitted(train, axes=axes)
    torch.testing.assert_close(one_by_one.distances(part), at_once.distances(part))
    first = torch.from_numpy(train[0])
    smaller = (many.without(first, PARTS, REGULARISER) for many in (one_by_one, at_once))
    torch.testing.assert_close(*(of.distances(part) for of in smaller))


@FORMS
@pytest.mark.parametrize("parts", [2, 4, PARTS])
def test_without_a_part_is_as_fitted_on_the_others(parts: int, axes: int | None) -> None:
    train, part = _rows(parts, 0), torch.from_numpy(_rows(1, 1)[0])
    smaller = _fitted(train, axes=axes).without(torch.from_numpy(train[1]), parts, REGULARISER)
    others = _fitted(np.delete(train, 1, axis=0))
    for seen in (part, torch.from_numpy(train[1])):
        torch.testing.assert_close(smaller.distances(seen), others.distances(seen), rtol=1e-3, atol=0)


@FORMS
def test_what_was_rounded_of_a_huge_spread_still_forgets(axes: int | None) -> None:
    """The rounding of the factors is larger than the regulariser here."""
    train = 1000 * _rows(3, 0)
    smaller = _fitted(train, 1e-4, axes).without(torch.from_numpy(train[1]), 3, 1e-4)
    assert smaller.distances(torch.from_numpy(train[1])).isfinite().all()


def test_fewer_axes_spread_what_they_leave_over_the_other_directions() -> None:
    """The mean variance of all directions stays."""
    train = _rows(PARTS, 0)
    few = _fitted(train, axes=2)
    assert isinstance(few, Axes)
    kept = few.variance.sum(dim=1) + (WIDTH - 2) * few.rest
    variance = train.astype(np.float64).var(axis=0, ddof=1) + REGULARISER
    np.testing.assert_allclose(kept, variance.sum(axis=1))
