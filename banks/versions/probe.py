"""The probe: one good part inside every version, with the scores it had when the version was built.

Whoever loads the version scores it before any other part. Other weights, libraries, devices or numeric modes
that change scores are found by that, before the first part of the line.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from banks.columns import Columns
from banks.decision.verdict import Decision
from banks.pipeline import Pipeline
from banks.versions.manifest import ProbeFacts
from models.preparation.prepare import Frame, PreparedPart
from models.sample import Modality

PROBE = "probe.npz"
BANK_TOLERANCE = 1e-3
"""Relative difference of a bank's score that is let through. Other numbers of threads and BLAS kernels differ
by 3e-7; other weights and bfloat16 by far more."""
SCORE_TOLERANCE = 1e-2
"""Difference of the final score that is let through, as a share of the score or of the threshold, whichever
is more: rules are steep, so a bank's difference may come out ten times as large."""
_SMALL = 0.1  # below it a bank's score is held against this: near 0 all of it may be rounding
_PLANE = (None, False, True)


@dataclass(frozen=True, slots=True)
class Probe:
    """A part as it was prepared. held_out: whether it is in no bank."""

    part: str
    held_out: bool
    prepared: PreparedPart

    def facts(self, banks: dict[str, float], score: float) -> ProbeFacts:
        """With the scores that it has."""
        return ProbeFacts(part=self.part, held_out=self.held_out, banks=banks, score=score)


def slimmed(part: PreparedPart, needs: Collection[Modality]) -> PreparedPart:
    """The part as a probe has it: coordinates to a hundredth of a millimetre, and nothing that the extractors
    do not need."""
    rgb = part.rgb if "rgb" in needs else np.zeros_like(part.rgb)
    xyz = np.round(part.xyz, 5) if "xyz" in needs else np.zeros_like(part.xyz)
    return replace(part, rgb=rgb, xyz=xyz)


def mirrored(part: PreparedPart) -> PreparedPart:
    """A training part as in a mirror: its own patches are in the banks, and distances of 0 tell nothing."""
    turned = part.xyz[:, ::-1] * np.array([-1, 1, 1], np.float32)
    return replace(part, rgb=part.rgb[:, ::-1].copy(), xyz=turned, valid=part.valid[:, ::-1].copy())


def to_bytes(part: PreparedPart) -> bytes:
    """The file of a part."""
    frame = part.frame
    file = io.BytesIO()
    np.savez_compressed(
        file,
        allow_pickle=False,
        rgb=part.rgb,
        xyz=part.xyz,
        valid=part.valid,
        frame=np.array([frame.height, frame.width, frame.top, frame.left, frame.side, frame.size]),
        plane=np.array(_PLANE.index(part.plane_found)),
    )
    return file.getvalue()


def from_bytes(content: bytes) -> PreparedPart:
    """The part of a file. Raises ValueError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return PreparedPart(
                rgb=file["rgb"],
                xyz=file["xyz"],
                valid=file["valid"],
                frame=Frame(*file["frame"].tolist()),
                plane_found=_PLANE[int(file["plane"])],
            )
    except (OSError, LookupError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{PROBE} is no probe: {error}") from error


def scores_of(
    part: PreparedPart, pipeline: Pipeline, columns: Columns, decision: Decision
) -> tuple[dict[str, float], float]:
    """Each bank's score of a stored part, and the final one."""
    features, _ = pipeline.extract(part)
    scores = columns.score(features)
    return scores.image_scores, decision.judge(scores).score


def difference(
    built: ProbeFacts, banks: Mapping[str, float], score: float, *, threshold: float
) -> str | None:
    """What differs between the scores of now and those of the build; None if nothing that counts.

    threshold: calibration's.
    """
    said = [
        f"{name} {banks.get(name, math.nan):.6g} instead of {then:.6g}"
        for name, then in built.banks.items()
        if not abs(banks.get(name, math.nan) - then) <= BANK_TOLERANCE * max(abs(then), _SMALL)
    ]
    if not abs(score - built.score) <= SCORE_TOLERANCE * max(abs(built.score), abs(threshold)):
        said.append(f"score {score:.6g} instead of {built.score:.6g}")
    return ", ".join(said) or None
