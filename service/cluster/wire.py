"""Parts and results as bytes: what goes between a front and a scorer.

A message is a file of safetensors: the arrays, and the array `facts`, which is JSON in UTF-8. What arrives is
exactly what was sent: the same arrays, and the same numbers to the last digit. Nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors.numpy import load, save

from banks.decision.calibration import Calibration
from banks.decision.part_scores import PartScores
from banks.decision.regions import Region
from banks.decision.verdict import Verdict
from banks.detector import PartResult, ThresholdSource
from banks.methods.evidence import Evidence
from banks.methods.method import Finding
from models.layout import GridLayout, GroupLayout, Layout
from models.preparation.prepare import Frame, PreparedPart
from models.sample import Sample
from recipes.extraction import Modality
from recipes.sensor import Unit

Message = NDArray[np.uint8]
"""(bytes,) uint8: one message. Ray moves such an array between processes without a copy of its own."""

_FACTS = "facts"


@dataclass(frozen=True, slots=True)
class _SampleFacts:
    """What a sample has beside its arrays."""

    missing: Modality | None
    xyz_unit: Unit | None
    image_size: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Column:
    """What one column says, beside its arrays. grid, source: of the layout, a grid or point groups."""

    image_score: float
    grid: int | None
    source: int | None


@dataclass(frozen=True, slots=True)
class _ResultFacts:
    """What a result has beside its arrays."""

    columns: dict[str, _Column]
    maps: list[str]
    places: list[str]
    contributions: dict[str, float]
    place: tuple[float, float] | None
    threshold: float
    threshold_source: ThresholdSource
    relative_score: float
    regions: list[Region]
    evidence: dict[str, Evidence]
    frame: Frame
    plane_found: bool | None
    pieces: int | None
    timings_ms: dict[str, float]


_SAMPLE: TypeAdapter[_SampleFacts] = TypeAdapter(_SampleFacts)
_RESULT: TypeAdapter[_ResultFacts] = TypeAdapter(_ResultFacts)
_CALIBRATION: TypeAdapter[Calibration] = TypeAdapter(Calibration)


def pack_sample(sample: Sample) -> Message:
    """A part as a message."""
    facts = _SampleFacts(sample.missing, sample.xyz_unit, sample.image_size)
    return _pack(_SAMPLE, facts, {"rgb": sample.rgb, "xyz": sample.xyz, "valid": sample.valid})


def unpack_sample(message: Message) -> Sample:
    """The part of a message. Raises ValueError where the message is none of `pack_sample`."""
    facts, arrays = _unpack(_SAMPLE, message)
    return Sample(
        arrays["rgb"], arrays["xyz"], arrays["valid"], facts.missing, facts.xyz_unit, facts.image_size
    )


def pack_result(result: PartResult) -> Message:
    """A result as a message."""
    prepared, verdict = result.prepared, result.verdict
    arrays: dict[str, NDArray[Any]] = {
        "rgb": prepared.rgb,
        "xyz": prepared.xyz,
        "valid": prepared.valid,
        "map": verdict.map,
        **{f"map/{bank}": array for bank, array in result.scores.maps.items()},
        **{f"places/{bank}": array for bank, array in result.scores.places.items()},
    }
    if prepared.look is not None:
        arrays["look"] = prepared.look
    columns = {}
    for bank, finding in result.scores.findings.items():
        layout = finding.layout
        groups = layout if isinstance(layout, GroupLayout) else None
        columns[bank] = _Column(finding.image_score, layout.side, None if groups is None else groups.source)
        arrays[f"values/{bank}"] = finding.values
        if finding.nearest is not None:
            arrays[f"nearest/{bank}"] = finding.nearest
        if groups is not None:
            arrays[f"pixel/{bank}"] = groups.pixel
    facts = _ResultFacts(
        columns=columns,
        maps=list(result.scores.maps),
        places=list(result.scores.places),
        contributions=dict(verdict.contributions),
        place=verdict.place,
        threshold=result.threshold,
        threshold_source=result.threshold_source,
        relative_score=result.relative_score,
        regions=list(result.regions),
        evidence=dict(result.evidence),
        frame=prepared.frame,
        plane_found=prepared.plane_found,
        pieces=prepared.pieces,
        timings_ms=dict(result.timings_ms),
    )
    return _pack(_RESULT, facts, arrays)


def unpack_result(message: Message) -> PartResult:
    """The result of a message. Raises ValueError where the message is none of `pack_result`."""
    facts, arrays = _unpack(_RESULT, message)
    findings = {
        bank: Finding(
            arrays[f"values/{bank}"],
            _layout(column, arrays.get(f"pixel/{bank}")),
            column.image_score,
            arrays.get(f"nearest/{bank}"),
        )
        for bank, column in facts.columns.items()
    }
    prepared = PreparedPart(
        arrays["rgb"],
        arrays["xyz"],
        arrays["valid"],
        facts.frame,
        facts.plane_found,
        arrays.get("look"),
        facts.pieces,
    )
    return PartResult(
        scores=PartScores(
            findings,
            len(arrays["map"]),
            {bank: arrays[f"map/{bank}"] for bank in facts.maps},
            {bank: arrays[f"places/{bank}"] for bank in facts.places},
        ),
        verdict=Verdict(facts.contributions, facts.place, arrays["map"]),
        threshold=facts.threshold,
        threshold_source=facts.threshold_source,
        relative_score=facts.relative_score,
        regions=facts.regions,
        evidence=facts.evidence,
        prepared=prepared,
        timings_ms=facts.timings_ms,
    )


def calibration_json(calibration: Calibration) -> str:
    """A calibration as JSON, exactly: two calibrations with one text are equal."""
    return _CALIBRATION.dump_json(calibration).decode()


def _layout(column: _Column, pixel: NDArray[np.int64] | None) -> Layout:
    if pixel is not None and column.source is not None:
        return GroupLayout(pixel, column.source)
    if column.grid is None:
        raise ValueError("a layout of neither a grid nor point groups")
    return GridLayout(column.grid)


def _pack(adapter: TypeAdapter[Any], facts: Any, arrays: Mapping[str, NDArray[Any]]) -> Message:
    words = np.frombuffer(adapter.dump_json(facts), np.uint8)
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return np.frombuffer(save({_FACTS: words, **whole}), np.uint8)


def _unpack(adapter: TypeAdapter[Any], message: Message) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Raises ValueError."""
    try:
        arrays = load(message.tobytes())
        facts = adapter.validate_json(arrays.pop(_FACTS).tobytes())
    except Exception as error:
        raise ValueError(f"no message of a front or a scorer: {error}") from error
    return facts, arrays
