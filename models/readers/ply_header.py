"""The header of a PLY file: its elements, and what the makers of cameras write about the grid.

A PLY file is a list of points. The points are organised if they fill a grid row by row. Makers say the size
of the grid in different places: in a line `obj_info` or `comment` (PCL, Photoneo, EpicEye), or in an element
of one entry behind the points (Photoneo's `phoxi_frame_params`, PCL's `camera`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.sample import BadSample

HEADER_BYTES = 65_536
_MAX_ELEMENTS = 32
_BYTE_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
_NUMBERS = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
_SIDE = re.compile(r"\b(num_cols|num_rows|width|height)\s*(?:[:=]\s*)?(\d{1,9})", re.I)
_COLUMNS = ("num_cols", "width", "frame_width", "viewportx")
_INDEX_LIST = (("u1", "i4"),)
_ROWS = ("num_rows", "height", "frame_height", "viewporty")


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the file.

    count: entries. properties: (name, NumPy type without byte order) of an entry. fixed: whether all entries
    have the same size, because none of the properties is a list. lists: the types of each list's length and
    items, without byte order.
    """

    name: str
    count: int
    properties: tuple[tuple[str, str], ...]
    fixed: bool
    lists: tuple[tuple[str, str], ...] = ()

    def dtype(self, order: str) -> np.dtype:
        """One entry. Raises ValueError for a name that comes twice."""
        return np.dtype([(name, order + number) for name, number in self.properties])


@dataclass(frozen=True, slots=True)
class Header:
    """encoding: value of `format`. notes: the lines `comment` and `obj_info`. start: position of the first
    number, bytes."""

    encoding: str
    elements: tuple[Element, ...]
    notes: tuple[str, ...]
    start: int

    @property
    def order(self) -> str:
        """NumPy's sign for the byte order. Raises KeyError for an unknown format."""
        return _BYTE_ORDERS[self.encoding]

    @property
    def points(self) -> Element:
        """The points. Raises BadSample: cloud_fields."""
        names = [element.name for element in self.elements]
        to_points = self.elements[: names.index("vertex") + 1] if "vertex" in names else ()
        if not to_points or not all(element.fixed for element in to_points):
            raise BadSample(
                "cloud_fields",
                "The PLY needs an element vertex whose properties are numbers, with no list in it "
                "or before it. Export the cloud as points alone.",
            )
        return to_points[-1]

    @property
    def range_grid(self) -> Element | None:
        """The element right behind the points that says which point lies at each place of the grid."""
        names = [element.name for element in self.elements]
        behind = self.elements[names.index("vertex") + 1 :] if "vertex" in names else ()
        grid = behind[0] if behind and behind[0].name == "range_grid" else None
        return grid if grid is not None and grid.lists == _INDEX_LIST else None

    def skipped(self) -> tuple[int, int]:
        """Bytes of a binary file, and lines of a text, between the header and the points."""
        before = self.elements[: self.elements.index(self.points)]
        sizes = (element.count * element.dtype(self.order).itemsize for element in before)
        return sum(sizes), sum(element.count for element in before)

    def sizes(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Every (height, width) that the file names, the clearest first. data: the whole file."""
        for note in self.notes:
            yield from _size_of({side.lower(): int(number) for side, number in _SIDE.findall(note)})
        everywhere = [pair for note in self.notes for pair in _SIDE.findall(note)]
        yield from _size_of({side.lower(): int(number) for side, number in everywhere})
        yield from _size_of(self._frame(data))

    def _frame(self, data: bytes) -> dict[str, int]:
        """The grid's sides from a binary element of one entry behind the points."""
        if self.encoding == "ascii":
            return {}
        at, sides = self.start, {}
        for element in self.elements:
            if not element.fixed:
                break
            dtype = element.dtype(self.order)
            if element.count == 1 and element.name != "vertex" and at + dtype.itemsize <= len(data):
                entry = np.frombuffer(data, dtype, 1, at)[0]
                sides |= {
                    name: int(entry[name])
                    for name in dtype.names or ()
                    if name in (*_COLUMNS, *_ROWS) and np.isfinite(entry[name])
                }
            at += element.count * dtype.itemsize
        return sides


def ply_header(data: bytes) -> Header:
    """Parse the header. Raises ValueError, KeyError, BadSample: cloud_fields."""
    head, mark, _ = data[:HEADER_BYTES].partition(b"\nend_header")
    if not mark:
        raise ValueError("no end of header")
    start = data.index(b"\n", len(head) + 1) + 1
    encoding, notes, elements = "", [], []
    name, count, fixed = "", 0, True
    properties: list[tuple[str, str]] = []
    lists: list[tuple[str, str]] = []

    def close() -> None:
        if name:
            elements.append(Element(name, count, tuple(properties), fixed, tuple(lists)))

    for line in head.decode("ascii", errors="replace").splitlines()[1:]:
        words = line.split()
        if words[:1] in (["comment"], ["obj_info"]):
            notes.append(line.strip())
        elif words[:1] == ["format"]:
            encoding = words[1]
        elif words[:1] == ["element"]:
            close()
            name, count, fixed, properties, lists = words[1], int(words[2]), True, [], []
        elif words[:1] == ["property"] and words[1] == "list":
            fixed = False
            lists.append((_NUMBERS[words[2]], _NUMBERS[words[3]]))
        elif words[:1] == ["property"]:
            properties.append((words[2], _NUMBERS[words[1]]))
    close()
    if len(elements) > _MAX_ELEMENTS or any(element.count < 0 for element in elements):
        raise ValueError("too many elements, or a negative count")
    return Header(encoding, tuple(elements), tuple(notes), start)


def _size_of(sides: dict[str, int]) -> Iterator[tuple[int, int]]:
    """The size that these words give, if they give both sides."""
    rows = next((sides[name] for name in _ROWS if name in sides), 0)
    columns = next((sides[name] for name in _COLUMNS if name in sides), 0)
    if rows > 1 and columns > 1:
        yield rows, columns
