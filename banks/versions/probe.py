"""The probe: one good part inside every version, with the scores it had when the version was built.

A detector scores the probe before any other part. So weights, libraries, devices or numeric modes that change
scores are found before the first part of the line.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from banks.columns import Columns
from banks.decision.verdict import Decision
from banks.pipeline import Pipeline
from banks.versions.good_parts import GoodParts
from banks.versions.manifest import ProbeFacts
from models.preparation.prepare import Frame, PreparedPart
from models.sample import Modality

PROBE = "probe.npz"
BANK_TOLERANCE = 1e-3
"""Largest accepted relative difference of a bank's score. Other numbers of threads and BLAS kernels differ by
3e-7, other weights and bfloat16 by far more."""
SCORE_TOLERANCE = 1e-2
"""Largest accepted difference of the final score, as a share of the score or of the threshold, whichever is
more. Rules are steep: a difference of a bank's score may become ten times as large."""
_SMALL = 0.1  # smaller scores of a bank are compared as if they were this large: they may be all rounding
_PLANE = (None, False, True)


@dataclass(frozen=True, slots=True)
class Probe:
    """A prepared part. part: its name. held_out: whether the part is in no bank."""

    part: str
    held_out: bool
    prepared: PreparedPart

    def facts(self, banks: dict[str, float], score: float) -> ProbeFacts:
        """The part with its scores, for the manifest."""
        return ProbeFacts(part=self.part, held_out=self.held_out, banks=banks, score=score)


def slimmed(part: PreparedPart, needs: Collection[Modality]) -> PreparedPart:
    """The part as a probe keeps it: coordinates to a hundredth of a millimetre, and zeros for everything that
    the extractors do not need."""
    rgb = part.rgb if "rgb" in needs else np.zeros_like(part.rgb)
    xyz = np.round(part.xyz, 5) if "xyz" in needs else np.zeros_like(part.xyz)
    return replace(part, image=rgb, xyz=xyz)


def mirrored(part: PreparedPart) -> PreparedPart:
    """The mirror image of a training part. The part's own patches are in the banks: distances of 0 tell
    nothing."""
    turned = part.xyz[:, ::-1] * np.array([-1, 1, 1], np.float32)
    look = None if part.look is None else part.look[:, ::-1].copy()
    return replace(
        part, image=part.rgb[:, ::-1].copy(), xyz=turned, valid=part.valid[:, ::-1].copy(), look=look
    )


def to_bytes(part: PreparedPart) -> bytes:
    """The content of the probe's file."""
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
        **({} if part.look is None else {"look": part.look}),
    )
    return file.getvalue()


def from_bytes(content: bytes) -> PreparedPart:
    """The inverse of `to_bytes`. Raises ValueError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return PreparedPart(
                image=file["rgb"],
                xyz=file["xyz"],
                valid=file["valid"],
                frame=Frame(*file["frame"].tolist()),
                plane_found=_PLANE[int(file["plane"])],
                look=file.get("look"),
            )
    except (OSError, LookupError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{PROBE} is no probe ({error}): build the version again") from error


def scores_of(
    part: PreparedPart, pipeline: Pipeline, columns: Columns, decision: Decision
) -> tuple[dict[str, float], float]:
    """Each bank's score of a prepared part, and the final score."""
    features, _ = pipeline.extract(part)
    scores = columns.score(features)
    return scores.image_scores, decision.judge(scores).score


def difference(
    built: ProbeFacts, banks: Mapping[str, float], score: float, *, threshold: float
) -> str | None:
    """How today's scores differ from those of the build, in words; None if the difference is small enough.

    built: the scores of the build.
    banks, score: today's scores.
    threshold: of the calibration.
    """
    differences = [
        f"{name} {banks.get(name, math.nan):.6g} instead of {then:.6g}"
        for name, then in built.banks.items()
        if not abs(banks.get(name, math.nan) - then) <= BANK_TOLERANCE * max(abs(then), _SMALL)
    ]
    if not abs(score - built.score) <= SCORE_TOLERANCE * max(abs(built.score), abs(threshold)):
        differences.append(f"score {score:.6g} instead of {built.score:.6g}")
    return ", ".join(differences) or None


def probe_of(
    train: GoodParts, held_out: GoodParts, kept: Probe | None, needs: Sequence[Modality]
) -> Probe | None:
    """The first validation part. Without validation parts it is the mirror image of the first training part.

    kept: the probe of the version that is extended; the parts of that version are not read again.
    None where the extended version has no probe and no part was added.
    """
    if kept is not None and kept.held_out:
        return kept
    if held_out.first is not None:
        name, part = held_out.first
        return Probe(name, True, slimmed(part, needs))
    if kept is not None or train.first is None:
        return kept
    name, part = train.first
    return Probe(name, False, slimmed(mirrored(part), needs))
