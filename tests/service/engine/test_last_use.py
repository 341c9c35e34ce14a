from __future__ import annotations

from service.engine.last_use import LastUse


def test_the_product_used_last_is_first_and_goes_last() -> None:
    use = LastUse()
    use.begin(["cap", "tile", "gone"])
    names = ["anchor", "cap", "rope", "tile"]
    assert use.newest_first(names, before=frozenset({"rope"})) == ["rope", "cap", "tile", "anchor"]
    assert use.oldest(names) in {"anchor", "rope"}
    assert use.oldest(["cap", "tile"]) == "tile"
    use.note("tile")
    assert use.newest_first(names, before=frozenset()) == ["tile", "cap", "anchor", "rope"]
    assert use.oldest(["cap", "tile"]) == "cap"
