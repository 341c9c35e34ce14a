"""The number that a sensor writes for no return, where nobody declared it."""

from __future__ import annotations

import numpy as np
import pytest

from models.preparation.far_value import far_value
from models.sample import make_sample
from tests.scenes import scene

XYZ = scene(noise=0.00005)
RGB = np.full(XYZ.shape, 200, np.uint8)


def without_return(share: float) -> np.ndarray:
    return np.random.default_rng(0).random(XYZ.shape[:2]) < share


@pytest.mark.parametrize("value", [-10.0, -32.768, 65.535, 1e30, -1.0])
@pytest.mark.parametrize("axes", [slice(None), slice(2, 3)])
@pytest.mark.parametrize("unit", ["m", "mm"])
def test_a_far_number_that_many_points_share_is_found(value: float, axes: slice, unit: str) -> None:
    xyz = XYZ.copy()
    xyz[without_return(0.01), axes] = value
    stored = value * (1000 if unit == "mm" else 1)
    assert far_value(make_sample(RGB, xyz, unit)) == f"{stored:.6g} {unit}"  # type: ignore[arg-type]


def test_few_points_noise_and_flat_surfaces_are_none() -> None:
    assert far_value(make_sample(RGB, XYZ)) is None
    assert far_value(make_sample(RGB, None)) is None
    few, apart, flat = XYZ.copy(), XYZ.copy(), XYZ.copy()
    few[without_return(0.0002)] = -10
    gone = without_return(0.01)
    apart[gone, 2] = np.random.default_rng(1).uniform(5, 6, int(gone.sum()))
    flat[..., 2] = np.where(gone, 0.5, 0.45)  # simulated surfaces without noise
    for xyz in (few, apart, flat):
        assert far_value(make_sample(RGB, xyz)) is None
