from __future__ import annotations

import pytest

from service.setting_lists import copies_by_product, origins, seconds_by_product, servers, words


def test_lists_are_separated_by_commas_or_blanks() -> None:
    assert words("a, b  c,,d") == ["a", "b", "c", "d"]
    assert origins("https://b.example http://a.example,https://b.example") == (
        "http://a.example",
        "https://b.example",
    )
    assert seconds_by_product("cookie:2.5,tile:1") == {"cookie": 2.5, "tile": 1.0}
    assert copies_by_product("cookie:3 *:2") == {"cookie": 3, "*": 2}


def test_servers_have_names_of_their_own() -> None:
    assert servers("line-1=https://line1:8000, b=http://10.0.0.7/tribank/") == {
        "line-1": "https://line1:8000/",
        "b": "http://10.0.0.7/tribank/",
    }


@pytest.mark.parametrize(
    "text", ["https://a", "=https://a", "a=a", "a=ftp://a", "a=https://a;b", "a=https://a?b", "a=https://u@a"]
)
def test_a_wrong_server_is_named(text: str) -> None:
    for wrong in (text, "a=https://a a=https://b"):
        with pytest.raises(ValueError, match="Write it as line-1="):
            servers(wrong)


@pytest.mark.parametrize("text", ["cookie", "cookie:0", ":1", "cookie:x", "cookie:-1", "cookie:inf"])
def test_a_wrong_entry_is_named(text: str) -> None:
    for parse in (seconds_by_product, copies_by_product):
        with pytest.raises(ValueError, match="Write it as cookie:2"):
            parse(text)
