from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evaluation.scale.residents import Residents


def _nothing_busy(_: int) -> bool:
    return False


def test_the_product_used_longest_ago_leaves() -> None:
    residents = Residents([1.0] * 4, 3.0)
    for product in range(3):
        assert residents.admit(product, _nothing_busy)
    residents.use(0)
    assert residents.admit(3, _nothing_busy)
    assert [product in residents for product in range(4)] == [True, False, True, True]


def test_a_busy_product_stays_and_a_product_without_room_changes_nothing() -> None:
    residents = Residents([1.0, 1.0, 2.0], 2.0)
    assert residents.admit(0, _nothing_busy)
    assert residents.admit(1, _nothing_busy)
    assert not residents.admit(2, lambda product: product == 0)
    assert 0 in residents
    assert 1 in residents
    assert residents.admit(2, _nothing_busy)
    assert residents.taken_mb == residents.most_mb == 2.0


@given(st.lists(st.floats(1.0, 10.0), min_size=1, max_size=10), st.data())
def test_memory_is_never_exceeded_and_is_that_of_the_products(
    sizes: list[float], data: st.DataObject
) -> None:
    residents = Residents(sizes, 20.0)
    for product in data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=50)):
        if product in residents:
            residents.use(product)
        else:
            assert residents.fits(product) <= residents.admit(product, _nothing_busy)
        held = sum(size for one, size in enumerate(sizes) if one in residents)
        assert abs(residents.taken_mb - held) < 1e-9
        assert held <= 20.0 + 1e-9
        assert residents.taken_mb <= residents.most_mb
