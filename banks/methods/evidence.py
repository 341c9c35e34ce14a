"""Why a bank gives the score it gives: the part's farthest patch, and the nearest good patch there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from banks.methods.method import Finding, Provenance
from models.preparation.prepare import Frame


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one bank's image score rests on: the part's patch that is farthest from all good patches.

    pixel: x, y in source pixels, the centre of the patch.
    distance: from the patch to the nearest good patch, no unit.
    training_part: the training part that the nearest good patch came from; None for the zero row.
    place: the centre of the nearest good patch in that part, x and y as shares of the prepared square's side.
    """

    pixel: tuple[float, float]
    distance: float
    training_part: str | None
    place: tuple[float, float] | None


def evidence(
    findings: Mapping[str, Finding],
    provenance: Mapping[str, Provenance],
    training_parts: Sequence[str],
    frame: Frame,
) -> dict[str, Evidence]:
    """The evidence of every bank that has rows, by bank name.

    findings, frame: of one part. training_parts: names by the numbers in `provenance`.
    """
    found = {}
    for bank, finding in findings.items():
        if finding.nearest is None:
            continue
        at, origin = int(finding.values.argmax()), provenance[bank]
        row = int(finding.nearest[at])
        part = int(origin.part[row])
        x, y = _place(int(finding.layout.pixels(frame.size)[at]), frame.size)
        found[bank] = Evidence(
            pixel=(
                min(max(x * frame.side - frame.left, 0.0), float(frame.width)),
                min(max(y * frame.side - frame.top, 0.0), float(frame.height)),
            ),
            distance=float(finding.values[at]),
            training_part=training_parts[part] if part >= 0 else None,
            place=_place(int(origin.pixel[row]), frame.size) if part >= 0 else None,
        )
    return found


def _place(pixel: int, size: int) -> tuple[float, float]:
    """x, y of a pixel's centre, as shares of the square's side."""
    return (pixel % size + 0.5) / size, (pixel // size + 0.5) / size
