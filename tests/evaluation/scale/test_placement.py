from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scale.placement import ABOVE, SPARE, placement, ranking
from service.cluster import placement as cluster


@given(
    sizes=st.lists(st.floats(1.0, 100.0), min_size=1, max_size=60),
    devices=st.integers(1, 9),
    memory=st.floats(100.0, 1000.0),
    data=st.data(),
)
def test_products_have_room_where_they_lie_unless_all_devices_are_full(
    sizes: list[float], devices: int, memory: float, data: st.DataObject
) -> None:
    copies = data.draw(st.integers(1, devices))
    orders = placement(sizes, devices, memory, copies)
    assert all(sorted(order) == list(range(devices)) for order in orders)
    share = max(max(sizes), ABOVE * copies * sum(sizes) / devices)
    free = [min((1 - SPARE) * memory, share)] * devices
    for choice in range(copies):
        for size, order in zip(sizes, orders, strict=True):
            if free[order[choice]] >= size:
                free[order[choice]] -= size
            else:
                assert all(free[other] < size for other in order[choice:])


def test_products_spread_evenly_where_memory_is_no_bound() -> None:
    orders = placement([1.0] * 4000, 8, 9000.0, 2)
    for choice in (0, 1):
        counts = Counter(order[choice] for order in orders)
        assert all(count == pytest.approx(500, rel=0.2) for count in counts.values())


@given(product=st.integers(0, 10**6), devices=st.integers(1, 30))
def test_a_further_device_changes_no_order_among_the_others(product: int, devices: int) -> None:
    more = ranking(product, devices + 1)
    assert [number for number in more if number != devices] == ranking(product, devices)
    assert sorted(more) == list(range(devices + 1))


def test_a_full_device_gives_its_products_to_the_next_choices() -> None:
    orders = placement([1.0] * 40, 4, 12.5, 1)
    assert Counter(order[0] for order in orders) == dict.fromkeys(range(4), 10)
    moved = sum(order != ranking(product, 4) for product, order in enumerate(orders))
    assert 0 < moved < 15


def test_no_device_has_more_than_its_share_though_it_has_memory() -> None:
    counts = Counter(order[0] for order in placement([1.0] * 40, 8, 1000.0, 1))
    assert max(counts.values()) <= ABOVE * 5


def test_products_lie_as_evenly_as_in_the_cluster() -> None:
    sizes = [float(1 + number % 7) for number in range(600)]
    most: list[float] = []
    orders = placement(sizes, 6, 1000.0, 1)
    named = {str(product): int(size) for product, size in enumerate(sizes)}
    places = cluster.place(named, {str(number): 1000 for number in range(6)}, {})
    for first in ([order[0] for order in orders], [int(places[str(product)][0]) for product in range(600)]):
        taken = Counter[int]()
        for size, device in zip(sizes, first, strict=True):
            taken[device] += int(size)
        assert sum(taken.values()) == sum(sizes)
        most.append(max(taken.values()) / (sum(sizes) / 6))
    assert most == [pytest.approx(1.1, abs=0.1501)] * 2
    assert (SPARE, ABOVE) == (cluster.SPARE, cluster.ABOVE)
