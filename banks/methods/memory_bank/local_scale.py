"""How far good patches usually are from the rows around each row of a bank.

Good parts vary more in some places than in others: at edges, on a grain, on a shiny face. There a distance
says less than the same distance on a smooth face. So a column can divide each distance by what is usual
around the nearest row. "Around" is meant among rows, not on the part, so parts need not lie in register.

A patch that is a copy of a row, such as a place without points, says nothing of how good parts vary. One part
holds the only row of such copies. If they counted, the rows around that row would have tiny scales, and that
part, left out, would look odd.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.stand_ins import Remainder

AROUND = 32
"""Rows around a row, beside itself, whose patches count."""
_PRIOR = 8
"""Patches of the usual distance of the whole bank that are added around every row."""
_COPY = 1e-3
"""A patch nearer than this to a row, as a share of its own length, is a copy of the row: float16 rounds rows
by 5e-4."""
_CHUNK = 4096


def local_scales(
    bank: MemoryBank,
    parts: Iterable[tuple[Remainder | None, NDArray[np.float32]]],
    power: float,
) -> NDArray[np.float32]:
    """(R,) float32 above 0: the scale of the distances to each row; 1 where they are as usual.

    Each part is searched in the bank without it, so that the distances are those of a new good part. A
    distance to a stand-in counts for the row that it stands for.

    bank: of R rows. parts: for each part that is searched, the bank without it, None where nothing remains,
    and its normalised patches, (n, C) float32. power: of the scale; 1 evens all distances out, 0 none.
    """
    sums, counts = np.zeros(len(bank)), np.zeros(len(bank))
    for others, asked in parts:
        if others is None:
            continue
        distances, ids = others.bank.nearest(asked)
        differs = distances > _COPY * np.linalg.norm(asked, axis=1)
        near = others.ids[ids[differs]]
        sums += np.bincount(near, weights=distances[differs], minlength=len(bank))
        counts += np.bincount(near, minlength=len(bank))
    usual = sums.sum() / max(counts.sum(), 1)
    if not usual > 0:
        return np.ones(len(bank), np.float32)
    means = np.empty(len(bank))
    for start in range(0, len(bank), _CHUNK):
        rows = slice(start, start + _CHUNK)
        around = bank.around(bank.rows[rows], AROUND + 1)
        means[rows] = (sums[around].sum(1) + _PRIOR * usual) / (counts[around].sum(1) + _PRIOR)
    return ((means / usual) ** power).astype(np.float32)
