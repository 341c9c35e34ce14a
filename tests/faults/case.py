"""A case: faults that are made one after another, what must not happen, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.faults.bench import Bench


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one fault. kind: in a word or two, to be counted. good: whether it may be so. number: of
    the fault; None for a figure of the whole run, which `detail` tells."""

    number: int | None
    kind: str
    good: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table.

    what: is done, for the table. count: of a whole run. run: makes the faults of these numbers, each the same
    in every run. promises: the ones of docs/reliability.md that it tests.
    """

    name: str
    what: str
    count: int
    run: Callable[[Bench, Sequence[int]], Iterator[Outcome]]
    promises: str
