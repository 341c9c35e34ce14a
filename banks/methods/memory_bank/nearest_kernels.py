"""Nearest rows of a memory bank: the source of `nearest_kernels.ll`, beside this file.

Tribank does not import this module, see `scripts/kernels.py`. Arguments are numbers, and arrays in C order.
N queries, H halves of queries, R rows of the bank, P rows of a panel. Numbers of queries, halves and channels
are multiples of 4, P is one of LANES.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LANES = 32
"""Rows of a panel whose least sum is looked for side by side."""
_TOGETHER = 4
_LINE = 16
"""Rows of a panel that are packed side by side."""

FASTMATH = {"contract"}
"""A product and its sum may be one step."""

_part = njit(error_model="numpy", fastmath=FASTMATH)


@_part
def _pack(size, start, width, rows, panel, leading, channels, bank, origin, packed, norms):
    """One panel of the bank, less `origin`, channel by channel, multiplied by -2; its rows' squared lengths.

    Channels from `start` on lie from `leading` on. Other channels are 0, and rows beyond the bank infinitely
    far.
    """
    for begin in range(0, size, _LINE):
        whole = panel * size + begin + _LINE <= rows
        for channel in range(channels):
            source = channel if channel < leading else channel - leading + start
            unused = (channel < leading and channel >= start) or source >= width
            at = channel * size + begin
            place = (panel * size + begin) * width + source
            if unused:
                for row in range(_LINE):
                    packed[at + row] = np.float32(0)
            elif whole:
                for row in range(_LINE):
                    packed[at + row] = bank[place + row * width] - origin[source]
            else:
                for row in range(_LINE):
                    packed[at + row] = np.float32(0)
                for row in range(rows - panel * size - begin):
                    packed[at + row] = bank[place + row * width] - origin[source]
    for row in range(size):
        norms[row] = np.float32(0) if panel * size + row < rows else np.float32(math.inf)
    for channel in range(channels):
        for row in range(size):
            value = packed[channel * size + row]
            norms[row] += value * value
            packed[channel * size + row] = np.float32(-2) * value


@_part
def _multiply(size, begin, channels, queries, at, packed, sums0, sums1, sums2, sums3):
    """Add the products of four queries with a panel to their sums.

    queries: from `at` on, the channels of the four. packed: a panel, whose first channel is `begin`.
    """
    for channel in range(0, channels, _TOGETHER):
        place = at + channel
        a0, a1, a2, a3 = queries[place], queries[place + 1], queries[place + 2], queries[place + 3]
        place += channels
        b0, b1, b2, b3 = queries[place], queries[place + 1], queries[place + 2], queries[place + 3]
        place += channels
        c0, c1, c2, c3 = queries[place], queries[place + 1], queries[place + 2], queries[place + 3]
        place += channels
        d0, d1, d2, d3 = queries[place], queries[place + 1], queries[place + 2], queries[place + 3]
        first = (begin + channel) * size
        for row in range(size):
            x0, x1 = packed[first + row], packed[first + size + row]
            x2, x3 = packed[first + 2 * size + row], packed[first + 3 * size + row]
            sums0[row] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
            sums1[row] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
            sums2[row] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
            sums3[row] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3


@_part
def _copy(size, source, at, to, place):
    for row in range(size):
        to[place + row] = source[at + row]


@_part
def _least(size, sums, lanes, before, row, query, least, index):
    """Note the least sum of a query and its first row, if it is below the least `before`.

    row: the first of the panel.
    """
    for lane in range(LANES):
        lanes[lane] = sums[lane]
    for at in range(LANES, size, LANES):
        for lane in range(LANES):
            lanes[lane] = sums[at + lane] if sums[at + lane] < lanes[lane] else lanes[lane]
    value = lanes[0]
    for lane in range(1, LANES):
        value = lanes[lane] if lanes[lane] < value else value
    if value < before:
        least[query] = value
        at = 0
        while sums[at] != value:
            at += 1
        index[query] = row + at


def nearest(
    queries, halves, start, width, rows, size, first, last,
    leading, trailing, half_of, bank, origin, packed, norms, shared, sums0, sums1, sums2, sums3, lanes,
    least, index,
):  # fmt: skip
    """The row with the least |b|^2 - 2 qb of every query, in panels `first` to `last`; of equals the first.

    start, width: the channels of a row, and the first of them that is in the halves. size: P.
    leading: (N, start) and trailing: (H, width - start), filled up with zeros to multiples of 4 channels.
    half_of: (N,) the half of each query. bank: (R, width). origin: (width,) what was subtracted from the
    queries, and is subtracted from the rows. least: (N,) infinite, then |b|^2 - 2 qb.
    index: (N,) 0, then the row. Scratch: packed: (channels, P), norms: (P,), shared: (H, P), sums0 to
    sums3: (P,), lanes: (LANES,).
    """
    ahead = (start + _TOGETHER - 1) // _TOGETHER * _TOGETHER
    behind = (width - start + _TOGETHER - 1) // _TOGETHER * _TOGETHER
    for panel in range(first, last):
        _pack(size, start, width, rows, panel, ahead, ahead + behind, bank, origin, packed, norms)
        for half in range(0, halves, _TOGETHER):
            _copy(size, norms, 0, sums0, 0)
            _copy(size, norms, 0, sums1, 0)
            _copy(size, norms, 0, sums2, 0)
            _copy(size, norms, 0, sums3, 0)
            _multiply(size, ahead, behind, trailing, half * behind, packed, sums0, sums1, sums2, sums3)
            _copy(size, sums0, 0, shared, half * size)
            _copy(size, sums1, 0, shared, (half + 1) * size)
            _copy(size, sums2, 0, shared, (half + 2) * size)
            _copy(size, sums3, 0, shared, (half + 3) * size)
        for query in range(0, queries, _TOGETHER):
            _copy(size, shared, half_of[query] * size, sums0, 0)
            _copy(size, shared, half_of[query + 1] * size, sums1, 0)
            _copy(size, shared, half_of[query + 2] * size, sums2, 0)
            _copy(size, shared, half_of[query + 3] * size, sums3, 0)
            _multiply(size, 0, ahead, leading, query * ahead, packed, sums0, sums1, sums2, sums3)
            row = panel * size
            _least(size, sums0, lanes, least[query], row, query, least, index)
            _least(size, sums1, lanes, least[query + 1], row, query + 1, least, index)
            _least(size, sums2, lanes, least[query + 2], row, query + 2, least, index)
            _least(size, sums3, lanes, least[query + 3], row, query + 3, least, index)


KERNELS = {"nearest": "nnnnnnnnFFNFFFFFFFFFFFN"}
