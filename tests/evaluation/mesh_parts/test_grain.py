"""Solid noise: the same at the same place, of deviation 1, with hills as far apart as asked."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from evaluation.mesh_parts.grain import Grain, step


def test_a_grain_is_a_field_in_space() -> None:
    points = Generator(PCG64(0)).uniform(0, 0.2, (20000, 3)).astype(np.float32)
    grain = Grain(Generator(PCG64(1)), 0.005)
    values = grain(points)
    assert np.array_equal(values, grain(points))
    assert values.mean() == pytest.approx(0, abs=0.1)
    assert values.std() == pytest.approx(1, abs=0.25)
    near, far = grain(points + np.float32(0.0002)), grain(points + np.float32(0.005))
    assert np.corrcoef(values, near)[0, 1] > 0.95
    assert abs(np.corrcoef(values, far)[0, 1]) < 0.3
    assert abs(np.corrcoef(values, Grain(Generator(PCG64(2)), 0.005)(points))[0, 1]) < 0.1


def test_a_step_rises_from_0_to_1() -> None:
    assert step(np.array([-1.0, 0.0, 1.0]), 0.5) == pytest.approx([0, 0.5, 1])
