"""The pinhole camera of a depth map."""

from __future__ import annotations

from dataclasses import dataclass, fields

_ABOVE_ZERO = frozenset({"fx", "fy", "depth_scale", "width", "height"})
_WHOLE = frozenset({"width", "height"})
_NEEDED = frozenset({"fx", "fy", "cx", "cy"})


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera without distortion.

    Attributes:
        fx, fy: focal lengths, pixels.
        cx, cy: principal point, pixels; integer coordinates are pixel centres.
        depth_scale: metres per unit of depth. None: the declared unit of the sensor, else 0.001 (millimetres)
            for integers and 1 (metres) for floating point.
        width, height: of the depth map, pixels, if known.

    Raises ValueError for impossible numbers.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    depth_scale: float | None = None
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            if fault := number_fault(field.name, field.name, getattr(self, field.name)):
                raise ValueError(fault)


def is_number(value: object) -> bool:
    """Whether the value is a finite number below 1e6."""
    # Infinity and NaN fail the comparison too; math.isfinite overflows on an integer of 400 digits.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6


def number_fault(key: str, field: str, value: object) -> str | None:
    """What is wrong with the number of a field of Intrinsics, as a sentence that names `key`; or None."""
    if value is None and field not in _NEEDED:
        return None
    if isinstance(value, str):
        return f"{key} is text. Write the number without quotes."
    if not isinstance(value, int | float) or not is_number(value):
        return f"{key} must be a finite number below 1e6."
    if field in _ABOVE_ZERO and value <= 0:
        return f"{key} must be above 0."
    if field in _WHOLE and value % 1:
        return f"{key} must be a whole number of pixels."
    return None
