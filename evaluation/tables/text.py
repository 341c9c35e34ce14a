"""A table as text, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.markup import escape
from rich.table import Table

EMPTY = "–"  # noqa: RUF001 - an en dash, as in printed tables
"""A cell without a value."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table.

    Attributes:
        title: above the table.
        head: names of the columns. The first column holds words.
        rows: cells, as many as columns.
        notes: sentences below the table.
        bold: number of bold rows at the end.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    bold: int = 0

    def rich(self) -> Table:
        """The table for a terminal, without the notes."""
        table = Table(title=escape(self.title), box=box.SIMPLE_HEAD)
        for number, name in enumerate(self.head):
            table.add_column(escape(name), justify="right" if number else "left")
        for number, row in enumerate(self.rows):
            last = number >= len(self.rows) - self.bold
            table.add_row(*map(escape, row), style="bold" if last else None)
        return table

    def markdown(self) -> str:
        """The table in Markdown, with its title in bold above and its notes below."""
        lines = [f"**{self.title}**", "", _line(self.head), "|---" + "|---:" * (len(self.head) - 1) + "|"]
        for number, row in enumerate(self.rows):
            last = number >= len(self.rows) - self.bold
            lines.append(_line([f"**{cell}**" for cell in row] if last else row))
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"


def number(value: float | None, digits: int = 3, signed: bool = False) -> str:
    """A number with `digits` decimals, or EMPTY for None. signed: with a plus sign."""
    if value is None:
        return EMPTY
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of the values without None; None if there is no value."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
