"""Unit, point pitch and extent of a product's clouds, from a few parts that are read completely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from models.preparation.axes import OTHER_AXES, is_z_sideways
from models.preparation.far_value import WAY_OUT, far_value
from models.preparation.measure import longest_side
from models.preparation.pitch import MOST_PITCH, point_pitch
from models.readers.product_folder import PartFile
from models.sample import BadSample

PARTS_READ = 5
_LEAST_PITCH = 5e-7
"""Smallest plausible distance of neighbouring points, metres."""


@dataclass(frozen=True, slots=True)
class Points:
    """The points of the parts that were read.

    Attributes:
        parts: number of parts that were read.
        pitch_m: median distance of neighbouring valid points, metres.
        extent_m: longest side of the box around the valid points, metres.
        valid: share of pixels with a return.
        unit: the unit in which the coordinates are recorded.
        declared: whether the unit is declared, in sensor.json or in the part.
        far: the z that many points of a part share exactly, far from all others.
        sideways: whether z of a part grows from column to column, as x should.
    """

    parts: int
    pitch_m: float
    extent_m: float
    valid: float
    unit: str = "m"
    declared: bool = False
    far: str | None = None
    sideways: bool = False

    def __str__(self) -> str:
        unit = (
            f"recorded in {self.unit}, as declared"
            if self.declared
            else "taken as metres, because no unit is declared"
            if self.unit == "m"
            else f"recorded in {self.unit}, as the files say"
        )
        return (
            f"{_length(self.pitch_m)} between neighbouring points, {_length(self.extent_m)} across, {unit}, "
            f"{self.valid:.0%} of the pixels with a return ({self.parts} parts read)"
        )

    @property
    def doubt(self) -> str | None:
        """Why the lengths, the axes or some points cannot be as they should; None if they are plausible."""
        pitch = f"{_length(self.pitch_m)} between neighbouring points"
        if self.pitch_m > MOST_PITCH and self.unit == "m":
            return (
                f"{pitch}: these look like millimetres. Declare the unit: write "
                '{"xyz_unit": "mm"} into sensor.json in the product\'s folder.'
            )
        if self.pitch_m > MOST_PITCH:
            return f"{pitch}: the unit {self.unit} is too large. Correct xyz_unit."
        if self.pitch_m < _LEAST_PITCH:
            return f"{pitch}: the unit {self.unit} is too small. Correct xyz_unit."
        if self.sideways:
            return OTHER_AXES
        return self.far and f"Many points have exactly the z {self.far}, {WAY_OUT}"


def measure_points(parts: Sequence[PartFile]) -> tuple[Points | None, list[str]]:
    """Read a few evenly spread parts.

    Returns what their clouds show (None if no part has neighbouring points), and one sentence for each part
    that cannot be read.
    """
    found: list[tuple[float, float, float]] = []
    unreadable: list[str] = []
    unit, declared, far, sideways = "m", False, None, False
    for part in few([part for part in parts if part.has_cloud]):
        try:
            sample = part.read()
        except (BadSample, OSError) as error:
            unreadable.append(f"{part.name} cannot be read: {str(error).removeprefix(f'{part.name}: ')}")
            continue
        pitch = point_pitch(sample.xyz, sample.valid)
        if pitch is not None:
            extent = longest_side(sample.xyz, sample.valid)
            found.append((pitch, extent, float(sample.valid.mean())))
            unit, declared = sample.xyz_unit or unit, "xyz_unit" in part.declared
            far = far or far_value(sample)
            sideways = sideways or is_z_sideways(sample)
    if not found:
        return None, unreadable
    pitch, extent, valid = (median(lengths) for lengths in zip(*found, strict=True))
    return Points(len(found), pitch, extent, valid, unit, declared, far, sideways), unreadable


def few(parts: Sequence[PartFile]) -> Sequence[PartFile]:
    """At most PARTS_READ of the parts, evenly spread."""
    steps = min(PARTS_READ, len(parts))
    return [parts[round(step * (len(parts) - 1) / max(1, steps - 1))] for step in range(steps)]


def _length(metres: float) -> str:
    """A length with its unit: metres from 0.1 m on, then millimetres, below 0.1 mm micrometres."""
    for least, factor, unit in ((0.1, 1.0, "m"), (1e-4, 1e3, "mm"), (0.0, 1e6, "µm")):
        if metres >= least:
            return f"{metres * factor:.3g} {unit}"
    return f"{metres:.3g} m"
