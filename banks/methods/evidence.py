"""Why a bank gives the score it gives: the patch of the part that counts, and the nearest good patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from banks.methods.method import Finding, Provenance
from models.preparation.prepare import Frame


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one bank says at the place that decided the part's score.

    A rule without a place adds up image scores. Then the evidence is the bank's farthest patch.

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
    decided: tuple[float, float] | None,
) -> dict[str, Evidence]:
    """The evidence of every bank that has rows, by bank name.

    Args:
        findings: of one part, by bank name.
        provenance: of the banks' rows, by bank name.
        training_parts: names by the numbers in `provenance`.
        frame: of the part.
        decided: the place that decided the score, as in `Verdict.place`.
    """
    found = {}
    for bank, finding in findings.items():
        if finding.nearest is None:
            continue
        at, origin = _patch(finding, frame.size, decided), provenance[bank]
        row = int(finding.nearest[at])
        part = int(origin.part[row])
        found[bank] = Evidence(
            pixel=frame.source_point(_place(int(finding.layout.pixels(frame.size)[at]), frame.size)),
            distance=float(finding.values[at]),
            training_part=training_parts[part] if part >= 0 else None,
            place=_place(int(origin.pixel[row]), frame.size) if part >= 0 else None,
        )
    return found


def _patch(finding: Finding, size: int, decided: tuple[float, float] | None) -> int:
    """The number of the patch that is nearest to `decided`; without a place, the number of the farthest."""
    if decided is None:
        return int(finding.values.argmax())
    row, column = np.divmod(finding.layout.pixels(size), size)
    return int(np.hypot(column + 0.5 - decided[0] * size, row + 0.5 - decided[1] * size).argmin())


def _place(pixel: int, size: int) -> tuple[float, float]:
    """x, y of a pixel's centre, as shares of the square's side."""
    return (pixel % size + 0.5) / size, (pixel // size + 0.5) / size
