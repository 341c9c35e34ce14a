"""The student: its size, and the map against its formula in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.ast.student import Student, differences, highest
from models.unfilled import unfilled


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_map_is_the_mean_square_of_the_channels_and_the_part_counts_twice() -> None:
    teacher, student, part = drawn(2, 7, 4, 4), drawn(2, 7, 4, 4, seed=1), drawn(2, 4, 4, seed=2)
    found = differences(teacher, student, part).numpy()
    for number, row, column in np.ndindex(2, 4, 4):
        of_cell = [one[number, :, row, column].double().numpy() for one in (teacher, student)]
        expected = float(part[number, row, column]) ** 2 * ((of_cell[0] - of_cell[1]) ** 2).mean()
        assert found[number, row, column] == pytest.approx(expected, rel=1e-5)


def cubic(values: NDArray[np.float64], place: float) -> NDArray[np.float64]:
    """Values along the first axis at a place between their centres: Keys' kernel with a = -0.75."""
    base, total = int(np.floor(place)), np.zeros(values.shape[1:])
    for at in range(base - 1, base + 3):
        far, a = abs(place - at), -0.75
        weight = (
            (a + 2) * far**3 - (a + 3) * far**2 + 1 if far <= 1 else a * (far**3 - 5 * far**2 + 8 * far - 4)
        )
        total += weight * values[min(max(at, 0), len(values) - 1)]
    return total


def test_the_score_is_the_highest_place_of_the_map_on_eight_times_as_many_pixels() -> None:
    cells = drawn(1, 4, 4)
    places = [(pixel + 0.5) / 8 - 0.5 for pixel in range(32)]
    rows = np.stack([cubic(cells[0].double().numpy(), place) for place in places])
    spread = np.stack([cubic(rows.T, place) for place in places])
    assert highest(cells, 32) == pytest.approx(spread.max(), rel=1e-5)


def test_the_published_student_has_82_6_million_numbers() -> None:
    with unfilled():
        student = Student(304 + 64, 24, 1024)
    assert sum(one.numel() for one in student.parameters()) == pytest.approx(82.6e6, rel=0.001)


def test_cells_become_numbers_of_the_same_shape() -> None:
    student = Student(5, 4, 8).eval()
    made = student(drawn(2, 5, 4, 4))
    assert made.shape == (2, 5, 4, 4)
    same = student(torch.zeros(1, 5, 4, 4))
    assert same[0, :, 1, 1].tolist() != same[0, :, 2, 2].tolist(), "it knows where a cell lies"
