from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scale.placement import placement, ranking

sizes = st.lists(st.floats(1.0, 100.0), min_size=1, max_size=60)


@given(sizes=sizes, devices=st.integers(1, 9), memory=st.floats(100.0, 1000.0), data=st.data())
def test_products_have_their_devices_and_overflow_only_full_ones(sizes, devices, memory, data) -> None:
    copies = data.draw(st.integers(1, devices))
    placed = placement(sizes, devices, memory, copies)
    assert all(len(own) == len(set(own)) == copies for own in placed)
    free = [memory] * devices
    for choice in range(copies):
        for size, own in zip(sizes, placed, strict=True):
            if free[own[choice]] >= size:
                free[own[choice]] -= size
            else:
                assert all(free[other] < size for other in range(devices) if other not in own[:choice])


def test_products_spread_evenly_where_memory_is_no_bound() -> None:
    placed = placement([1.0] * 4000, 8, 4000.0, 2)
    for choice in (0, 1):
        counts = Counter(own[choice] for own in placed)
        assert all(count == pytest.approx(500, rel=0.2) for count in counts.values())


@given(product=st.integers(0, 10**6), devices=st.integers(1, 30))
def test_a_further_device_changes_no_order_among_the_others(product: int, devices: int) -> None:
    more = ranking(product, devices + 1)
    assert [number for number in more if number != devices] == ranking(product, devices)
    assert sorted(more) == list(range(devices + 1))


def test_a_full_device_gives_its_products_to_the_next_choices() -> None:
    placed = placement([1.0] * 40, 4, 10.0, 1)
    assert Counter(own[0] for own in placed) == dict.fromkeys(range(4), 10)
    moved = sum(own[0] != ranking(product, 4)[0] for product, own in enumerate(placed))
    assert 0 < moved < 15
