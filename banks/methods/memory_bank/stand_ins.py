"""A bank as if it had not seen one part: without the part's rows, and with stand-ins for them.

A coreset is chosen among the patches of all parts. Where a part has a row, the patches of other parts around
it were not needed. So a bank that only loses the part's rows has holes there, and the part scores higher than
a new good part. To fill the holes, the greedy choice goes on without the part: until every patch of the other
parts is again as near to a row as the patches of all parts were. The part itself has no say in what it takes.

The patches nearest to the part's rows would fill the holes too well: the part would score lower than a new
good part (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.method import Provenance

_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class StandIns:
    """Patches that take the places of rows whose part is taken out.

    of: (S,) int64, the bank row that each stands for: the nearest of those that are taken out.
    rows: (S, C) float32.
    origin: where they came from; never the part of the row that they stand for.
    """

    of: NDArray[np.int64]
    rows: NDArray[np.float32]
    origin: Provenance


def further_picks(
    library: NDArray[np.float32],
    chosen: NDArray[np.int64],
    parts: NDArray[np.int64],
    forgotten: Collection[int],
    device: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What the greedy choice takes without each of some parts.

    library: (N, d) float32, the rows that the coreset was chosen from. chosen: (R,) int64, the coreset.
    parts: (N,) int64, the part of each row. forgotten: the parts. device: where the search runs.
    Returns the place in the coreset that each pick stands for, and the pick's row of the library: (S,) int64
    both.

    Two products of N rows and R rows at most: as much as the coreset itself, or twice that.
    """
    bank = MemoryBank.of(library[chosen], device=device)
    distances, nearest = np.empty(len(library), np.float32), np.empty(len(library), np.int64)
    for start in range(0, len(library), _CHUNK):
        rows = slice(start, start + _CHUNK)
        distances[rows], nearest[rows] = bank.nearest(library[rows])
    reach, owner = distances.max(), parts[chosen]
    of: list[int] = []
    picks: list[int] = []
    for part in forgotten:
        kept = library[chosen[owner != part]]
        uncovered = np.flatnonzero((owner[nearest] == part) & (parts != part))
        rows, far = library[uncovered], np.full(len(uncovered), np.inf, np.float32)
        if len(kept) and len(rows):
            far, _ = bank.like(kept).nearest(rows)
        while far.max(initial=0) > reach:
            pick = int(far.argmax())
            picks.append(int(uncovered[pick]))
            of.append(int(nearest[uncovered[pick]]))
            far = np.minimum(far, np.linalg.norm(rows - rows[pick], axis=1))
    return np.array(of, np.int64), np.array(picks, np.int64)


@dataclass(frozen=True, slots=True)
class Remainder:
    """A bank without one part.

    bank: the rows of other parts, then stand-ins.
    ids: (n,) int64, the row of the whole bank that each of its rows is or stands for.
    origin: of each of its rows.
    """

    bank: MemoryBank
    ids: NDArray[np.int64]
    origin: Provenance


def remainder(
    bank: MemoryBank, origin: Provenance, part: int, stand_ins: StandIns | None = None
) -> Remainder | None:
    """The bank as if it had not seen a part; None where nothing would remain.

    bank: of R rows. origin: of each row. stand_ins: None where nothing stands in for a row.
    """
    ids = np.flatnonzero(origin.part != part)
    if len(ids) == len(bank):
        return Remainder(bank, ids, origin)
    rows, left = bank.rows[ids], origin.at(ids)
    if stand_ins is not None:
        new = np.flatnonzero(origin.part[stand_ins.of] == part)
        ids = np.concatenate([ids, stand_ins.of[new]])
        rows = np.concatenate([rows, stand_ins.rows[new]])
        left = left.joined(stand_ins.origin.at(new))
    return Remainder(bank.like(rows), ids, left) if len(ids) else None
