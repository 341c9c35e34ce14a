"""Memory banks of any size out of a version's own: to measure how long a part takes with banks that were not
built, such as those of a whole data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from banks.columns import Columns
from banks.evenly import evenly
from banks.methods.memory_bank.column import MemoryBankColumn
from recipes.profile import Profile

BAGEL = 244
"""Training parts of bagel, a product of MVTec 3D-AD."""
_NOISE = 0.25
"""Distance of a generated row from the row that it is made of, as a share of the rows' spread."""
_CHUNK = 4096


class NoRows(ValueError):
    """A column keeps no rows."""


def rows_after(profile: Profile, patches: Mapping[str, int], parts: int) -> dict[str, int]:
    """Rows of each bank that a build of so many training parts keeps. patches: of one part, by bank."""
    seen = {bank: parts * patches[bank] for bank in profile.banks}
    return {bank: rows + (profile.zero_row and bank == "point") for bank, rows in profile.kept(seen).items()}


def resized(columns: Columns, rows: Mapping[str, int]) -> Columns:
    """The columns with so many rows each. The same rows come out at every call.

    A bank that has more rows keeps some of them, evenly spread. A bank that has fewer keeps all, and gets
    generated rows: a row of its own each, moved in every channel by a share of the channel's spread. Mean and
    spread of the channels stay. A generated row has the origin and the scale of the row that it is made of.

    Raises NoRows for columns that are no memory banks.
    """
    return replace(
        columns,
        columns={name: _resized(name, column, rows[name]) for name, column in columns.columns.items()},
    )


def _resized(name: str, column: object, count: int) -> MemoryBankColumn:
    if not isinstance(column, MemoryBankColumn):
        raise NoRows(f"bank {name} keeps no rows, so it has no size")
    own = column.rows
    draw = np.random.default_rng([count, column.dimension])
    if count <= own:
        source = np.asarray(evenly(own, count), np.int64)
        rows = column.bank.rows[source]
    else:
        source = np.concatenate([np.arange(own), draw.integers(own, size=count - own)])
        rows = np.empty((count, column.dimension), np.float32)
        rows[:own] = column.bank.rows
        _generate(rows, column.bank.rows, source, draw)
    return replace(
        column,
        bank=column.bank.like(rows),
        provenance=column.provenance.at(source),
        scales=None if column.scales is None else column.scales[source],
        stand_ins=None,
    )


def _generate(
    rows: NDArray[np.float32],
    own: NDArray[np.float32],
    source: NDArray[np.int64],
    draw: np.random.Generator,
) -> None:
    """Fill the rows behind the own ones. A moved row is drawn to the mean, so that the spread does not
    grow."""
    mean, spread = (of(axis=0, dtype=np.float64).astype(np.float32) for of in (own.mean, own.std))
    shrink = np.float32(1 / np.sqrt(1 + _NOISE**2))
    for start in range(len(own), len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        noise = draw.standard_normal(rows[part].shape, np.float32)
        noise *= _NOISE * spread
        rows[part] = mean + shrink * (own[source[part]] - mean + noise)
