from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from service.cluster.placement import ABOVE, SPARE, place

NAMES = st.text("abcdef", min_size=1, max_size=4)
SIZES = st.dictionaries(NAMES, st.integers(0, 1000), max_size=20)
ROOMS = st.dictionaries(NAMES, st.none() | st.integers(0, 5000), max_size=6)
COPIES = st.dictionaries(NAMES, st.integers(1, 9), max_size=5)


@given(SIZES, ROOMS, COPIES)
def test_each_product_has_as_many_scorers_as_it_wants_and_there_are(
    sizes: dict[str, int], rooms: dict[str, int | None], copies: dict[str, int]
) -> None:
    places = place(sizes, rooms, copies)
    assert places.keys() == sizes.keys()
    for product, scorers in places.items():
        assert len(set(scorers)) == len(scorers) == min(copies.get(product, 1), len(rooms))
        assert set(scorers) <= rooms.keys()


@given(SIZES, ROOMS, COPIES, st.randoms())
def test_the_order_in_which_things_are_known_does_not_matter(
    sizes: dict[str, int], rooms: dict[str, int | None], copies: dict[str, int], random: object
) -> None:
    def shuffled(names: dict) -> dict:
        items = list(names.items())
        random.shuffle(items)  # type: ignore[attr-defined]
        return dict(items)

    assert place(sizes, rooms, copies) == place(shuffled(sizes), shuffled(rooms), shuffled(copies))


@given(st.integers(2, 8), st.integers(1, 60))
def test_equal_products_are_spread(scorers: int, products: int) -> None:
    sizes = {f"p{number}": 100 for number in range(products)}
    places = place(sizes, {str(number): None for number in range(scorers)}, {})
    held = Counter(names[0] for names in places.values())
    assert max(held.values()) <= ABOVE * products / scorers + 1


def test_no_scorer_holds_more_than_its_memory_while_there_is_room() -> None:
    sizes = {f"p{number}": 100 + number for number in range(40)}
    rooms: dict[str, int | None] = {"small": 1000, "large": 10000}
    held = Counter[str]()
    for product, (scorer,) in place(sizes, rooms, {}).items():
        held[scorer] += sizes[product]
    assert held["small"] <= (1 - SPARE) * 1000
    assert held["large"] <= (1 - SPARE) * 10000
    full = place(sizes, {"small": 1000, "smaller": 500}, {})
    assert {scorer for (scorer,) in full.values()} == {"small", "smaller"}


def test_few_products_move_when_a_scorer_comes_or_goes() -> None:
    sizes = {f"p{number}": 1000 + number for number in range(200)}
    four = place(sizes, {str(number): None for number in range(4)}, {})
    five = place(sizes, {str(number): None for number in range(5)}, {})
    moved = [product for product in sizes if four[product] != five[product]]
    taken = [product for product in sizes if five[product] == ("4",)]
    assert len(taken) >= 25
    assert len(moved) <= 1.5 * len(taken)
