"""Numbers and rings that are printed, stamped or moulded on a part."""

from __future__ import annotations

import numpy as np

from evaluation.mesh_parts.grain import step
from evaluation.mesh_parts.mesh import Floats

_SEGMENTS = {
    "a": ((0, 2), (1, 2)),
    "b": ((1, 1), (1, 2)),
    "c": ((1, 0), (1, 1)),
    "d": ((0, 0), (1, 0)),
    "e": ((0, 0), (0, 1)),
    "f": ((0, 1), (0, 2)),
    "g": ((0, 1), (1, 1)),
}
_DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abfgcd")


def digits(x: Floats, y: Floats, text: str, height: float, bold: float = 0.13) -> Floats:
    """(N,) in [0, 1]: 1 on the strokes of `text`, digits and spaces, with its middle at 0, 0.
    bold: width of a stroke over `height`."""
    width, thick = 0.5 * height, bold * height
    pitch = 0.95 * height
    weight = np.zeros(len(x), np.float32)
    near = np.flatnonzero((np.abs(y) < 0.7 * height) & (np.abs(x) < 0.6 * pitch * (len(text) + 1)))
    for place, sign in enumerate(text):
        if sign == " ":
            continue
        u = (x[near] - (place - (len(text) - 1) / 2) * pitch + width / 2) / width
        v = (y[near] + height / 2) / (height / 2)
        for segment in _DIGITS[int(sign)]:
            (x0, y0), (x1, y1) = _SEGMENTS[segment]
            du = np.clip(u, min(x0, x1), max(x0, x1)) - u
            dv = np.clip(v, min(y0, y1), max(y0, y1)) - v
            away = np.hypot(du * width, dv * height / 2)
            weight[near] = np.maximum(weight[near], step(thick / 2 - away, 0.5 * thick))
    return weight


def ring(distance: Floats, radius: float, width: float) -> Floats:
    """(N,) in [0, 1]: 1 within `width` / 2 of a circle."""
    return step(width / 2 - np.abs(distance - radius), 0.4 * width)
