from __future__ import annotations

import pytest

from service.setting_lists import copies_by_product, origins, seconds_by_product, words


def test_lists_are_separated_by_commas_or_blanks() -> None:
    assert words("a, b  c,,d") == ["a", "b", "c", "d"]
    assert origins("https://b.example http://a.example,https://b.example") == (
        "http://a.example",
        "https://b.example",
    )
    assert seconds_by_product("cookie:2.5,tile:1") == {"cookie": 2.5, "tile": 1.0}
    assert copies_by_product("cookie:3 *:2") == {"cookie": 3, "*": 2}


@pytest.mark.parametrize("text", ["cookie", "cookie:0", ":1", "cookie:x", "cookie:-1", "cookie:inf"])
def test_a_wrong_entry_is_named(text: str) -> None:
    for parse in (seconds_by_product, copies_by_product):
        with pytest.raises(ValueError, match="Write it as cookie:2"):
            parse(text)
