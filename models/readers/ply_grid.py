"""The range grid of a PLY file: the points with a return, and the place of each on the grid.

Stanford's scanners and PCL write it: an element `range_grid` with one list for each place, row by row. The
list holds the point's number, or nothing.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from models.readers.ply_header import Element, Header

_EMPTY, _FULL = 1, 5  # bytes of an entry without and with a point's number


def on_grid(points: NDArray[np.void], data: bytes, header: Header, grid: Element) -> NDArray[np.void]:
    """The points at their places, (grid.count,); all numbers are 0 where no point is.

    points: all points of the file. Raises ValueError for a list of several points, or a number of no point;
    struct.error, IndexError for a file that is cut short.
    """
    numbers = np.fromiter(_numbers(points, data, header, grid.count), np.int64, grid.count)
    if len(points) == 0 or numbers.min(initial=0) < -1 or numbers.max(initial=-1) >= len(points):
        raise ValueError("the grid names a point that is not there")
    placed = points[numbers]
    placed[numbers < 0] = np.zeros(1, points.dtype)
    return placed


def _numbers(points: NDArray[np.void], data: bytes, header: Header, count: int) -> Iterator[int]:
    """The number of the point at each place; -1 for none."""
    skipped_bytes, skipped_lines = header.skipped()
    if header.encoding == "ascii":
        lines = io.BytesIO(data)
        lines.seek(header.start)
        before = skipped_lines + len(points)
        for line in islice(lines, before, before + count):
            length, *number = map(int, line.split())
            if length != len(number) or length > 1:
                raise ValueError("a place of the grid has several points")
            yield number[0] if number else -1
        return
    at = header.start + skipped_bytes + points.nbytes
    read = struct.Struct(f"{header.order}i").unpack_from
    for _ in range(count):
        if data[at] == 0:
            yield -1
            at += _EMPTY
        elif data[at] == 1:
            yield read(data, at + 1)[0]
            at += _FULL
        else:
            raise ValueError("a place of the grid has several points")
