"""A table of words and numbers, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.markup import escape
from rich.table import Table

EMPTY = "–"  # noqa: RUF001 - an en dash, as printed tables have it
"""A cell without a value."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """head: the columns' names, words in the first. rows: as many cells each. bold: the last so many rows.
    notes: sentences below the table."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    bold: int = 0

    def rich(self) -> Table:
        """For a terminal, without the notes."""
        table = Table(title=escape(self.title), box=box.SIMPLE_HEAD)
        for number, name in enumerate(self.head):
            table.add_column(escape(name), justify="right" if number else "left")
        for number, row in enumerate(self.rows):
            last = number >= len(self.rows) - self.bold
            table.add_row(*map(escape, row), style="bold" if last else None)
        return table

    def markdown(self) -> str:
        """With its title in bold above and its notes below."""
        lines = [f"**{self.title}**", "", _line(self.head), "|---" + "|---:" * (len(self.head) - 1) + "|"]
        for number, row in enumerate(self.rows):
            last = number >= len(self.rows) - self.bold
            lines.append(_line([f"**{cell}**" for cell in row] if last else row))
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"


def number(value: float | None, digits: int = 3, signed: bool = False) -> str:
    """A fraction as tables print it."""
    if value is None:
        return EMPTY
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of what is there; None where nothing is."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
