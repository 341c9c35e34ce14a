"""Operations and bytes of the stages, counted on sizes that one can count by hand."""

from __future__ import annotations

import pytest

from evaluation.bench.floors import Floor, Rates, beside_floors, network_operations, point_operations
from recipes.points import PointNetwork
from recipes.rgb import RgbChoice


def test_the_longer_of_arithmetic_and_memory_is_the_floor() -> None:
    arithmetic = Floor.of(operations=2e9, rate=100.0, nbytes=1e6, copy=10.0)
    assert arithmetic == Floor(gflop=2.0, megabytes=1.0, ms=20.0)
    assert Floor.of(nbytes=1e9, copy=10.0).ms == 100.0


def test_a_ratio_stands_where_a_stage_has_a_floor() -> None:
    stages = {"search": {"p50": 30.0}, "decode": {"p50": 5.0}, "total": {"p50": 44.0}}
    found = {"search": Floor(1.0, 2.0, 10.0), "normals": Floor(1.0, 1.0, 1.0)}
    assert beside_floors(stages, found) == {
        "search": {"gflop": 1.0, "megabytes": 2.0, "ms": 10.0, "ratio": 3.0},
        "total": {"gflop": 2.0, "megabytes": 3.0, "ms": 11.0, "ratio": 4.0},
    }


def test_operations_of_a_network_grow_with_the_image_and_end_with_the_last_stage() -> None:
    """EfficientNet-Lite1's published 1.3 billion (240 px, twice its multiply-adds) include later stages."""
    choice = RgbChoice("efficientnet_lite1", stages=(1, 2, 3))
    at_240, at_480 = network_operations(choice, 240), network_operations(choice, 480)
    assert at_480 == pytest.approx(4 * at_240, rel=0.05)
    assert 0.5e9 < at_240 < 1.3e9


def test_operations_of_a_point_network_grow_with_its_groups() -> None:
    """As published, Point-MAE's group encoder takes 129 billion and its blocks 63 billion. What is computed
    once a group saves a third of the first."""
    whole = point_operations(PointNetwork(), 20_000)
    assert 125e9 < whole < 160e9
    assert point_operations(PointNetwork(), 512) < 0.5 * whole


def test_this_machine_does_something() -> None:
    rates = Rates.measured()
    assert min(rates.networks, rates.search, rates.copy) > 0.1
