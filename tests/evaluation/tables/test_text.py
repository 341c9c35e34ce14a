"""Tables as Markdown."""

from __future__ import annotations

from evaluation.tables.text import TextTable, mean, number


def test_markdown_with_a_bold_last_row_and_notes() -> None:
    table = TextTable("What", ["row", "a|b"], [["one", "0.5"], ["mean", number(None)]], ["A note."], bold=1)
    assert table.markdown() == (
        "**What**\n\n| row | a\\|b |\n|---|---:|\n| one | 0.5 |\n| **mean** | **–** |\n\nA note.\n"  # noqa: RUF001
    )
    assert table.rich().row_count == 2


def test_numbers() -> None:
    assert (number(0.12345), number(-0.1, signed=True), number(0.1, signed=True)) == (
        "0.123",
        "-0.100",
        "+0.100",
    )
    assert mean([0.5, None, 1.0]) == 0.75
    assert mean([None]) is None
