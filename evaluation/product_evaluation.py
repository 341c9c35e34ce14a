"""The test parts of one product scored by one bank version, and the metrics of each bank and the decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from banks.detector import Detector, PartResult
from evaluation.metrics.detection import FALSE_REJECT_RATES, best_f1, image_auroc, pixel_metrics, recall_at
from evaluation.metrics.map_folder import fitted, read_mask
from evaluation.run import Run
from models.readers.folder_layout import GOOD
from models.readers.product_folder import PartFile
from models.sample import BadSample

FINAL = "final"
"""Name of the decision's scores among the names of the banks."""


@dataclass(frozen=True, slots=True)
class Column:
    """The metrics of one score: of a bank or the final score. None or empty if a metric cannot be computed.

    Attributes:
        image_auroc, pixel_auroc: area under the ROC curve of parts and of pixels.
        aupro, aupro_exact: by limit, "0.3" to "0.01".
        families: image AUROC of each defect family and all good parts.
        f1, f1_threshold: the best F1 on these test parts, and its threshold.
        recall_at: share of defective parts found, by share of good parts rejected.
    """

    image_auroc: float | None = None
    pixel_auroc: float | None = None
    aupro: Mapping[str, float] = field(default_factory=dict)
    aupro_exact: Mapping[str, float] = field(default_factory=dict)
    families: Mapping[str, float] = field(default_factory=dict)
    f1: float | None = None
    f1_threshold: float | None = None
    recall_at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One line of results.

    Attributes:
        run: what was evaluated.
        fingerprint: see `evaluation.run.fingerprint`.
        columns: metrics by bank and for the final score.
        trained_on: number of usable training parts.
        drawn: names of the training parts, if they were drawn.
        goods, false_rejects: good test parts, and how many of them the calibrated threshold rejects.
        defects, misses: defective test parts, and how many of them the calibrated threshold passes.
        unmasked: defective parts without mask, which pixel metrics leave out.
        unusable: reason by part that could not be scored.
        p50_ms, p90_ms: time from a part in memory to its decision. A cached extraction counts with the time
            that it took when it was computed.
        wall_s: time of build and scoring.
        peak_memory_mb: of the process.
        environment: see `evaluation.bench.environment`.
        resized: masks with another size than their part, resized by the nearest pixel.
        mixed: names of the defective parts among the training parts.
        odd: names of the parts that the build called odd.
    """

    run: Run
    fingerprint: str
    columns: Mapping[str, Column]
    trained_on: int
    drawn: Sequence[str]
    goods: int
    false_rejects: int
    defects: int
    misses: int
    unmasked: int
    unusable: Mapping[str, str]
    p50_ms: float
    p90_ms: float
    wall_s: float
    peak_memory_mb: float
    environment: Mapping[str, Any]
    resized: int = 0
    mixed: Sequence[str] = ()
    odd: Sequence[str] = ()

    @property
    def product(self) -> str:
        """The product's name."""
        return self.run.product

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self.run.profile

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Evaluation:
        """Inverse of `to_json`. Raises ValueError, TypeError or KeyError for any other line."""
        data = json.loads(line)
        columns = {name: Column(**column) for name, column in data.pop("columns").items()}
        return cls(run=Run(**data.pop("run")), columns=columns, **data)


@dataclass(frozen=True, slots=True)
class ScoredPart:
    """A test part and its result.

    Attributes:
        part: the files.
        result: the detector's result.
        mask: (size, size) bool on the grid of the maps; None for a defective part without a mask.
        resized: whether the mask file had another size than the part.
    """

    part: PartFile
    result: PartResult
    mask: NDArray[np.bool_] | None
    resized: bool = False

    def score(self, column: str) -> float:
        """The image score of a bank, or the final score."""
        return self.result.score if column == FINAL else self.result.bank_scores[column]

    def map(self, column: str) -> NDArray[np.float32]:
        """The map of a bank, or the final map: (size, size) float32."""
        return self.result.map if column == FINAL else self.result.bank_maps[column]


@dataclass(frozen=True, slots=True)
class ScoredParts:
    """All scored test parts of a product. unusable: reason by part that could not be scored."""

    parts: Sequence[ScoredPart]
    unusable: Mapping[str, str]

    @property
    def milliseconds(self) -> list[float]:
        """Time from sample to decision of each part."""
        return [sum(scored.result.timings_ms.values()) for scored in self.parts]


def score_parts(
    detector: Detector, parts: Sequence[PartFile], progress: Callable[[int, int], None]
) -> ScoredParts:
    """Score test parts in order. progress: callback with the parts done and the number of parts."""
    scored, unusable = [], {}
    for number, part in enumerate(parts, start=1):
        try:
            (result,) = detector.score([part.read(detector.manifest.sensor)])
            if isinstance(result, BadSample):
                raise result
            scored.append(_with_mask(part, result))
        except BadSample as refused:
            unusable[part.name] = str(refused)
        progress(number, len(parts))
    return ScoredParts(scored, unusable)


def columns_of(scored: Sequence[ScoredPart], families: Mapping[str, str]) -> dict[str, Column]:
    """The metrics of every bank and of the decision.

    families: family by defect. A defect without a family is a family of its own.
    """
    if not scored:
        return {}
    names = (*scored[0].result.bank_scores, FINAL)
    return {name: _column(name, scored, families) for name in names}


class _Record(BaseModel):
    """What is used of a demo product's record."""

    families: dict[str, str] = Field(default_factory=dict)


def families_of(folder: Path) -> dict[str, str]:
    """Family by defect from a demo product's `parts.json`; empty for other folders, also where a file of this
    name is another one."""
    facts = folder / "parts.json"
    if not facts.is_file():
        return {}
    try:
        return _Record.model_validate_json(facts.read_bytes()).families
    except ValueError:
        return {}


def _with_mask(part: PartFile, result: PartResult) -> ScoredPart:
    if part.mask is None:
        none = np.zeros(result.map.shape, dtype=bool) if part.defect == GOOD else None
        return ScoredPart(part, result, none)
    mask, frame = read_mask(part.mask), result.prepared.frame
    shape = (frame.height, frame.width)
    on_grid = frame.mask_to_grid(fitted(mask, shape), len(result.map))
    return ScoredPart(part, result, on_grid, resized=mask.shape != shape)


def _column(name: str, scored: Sequence[ScoredPart], families: Mapping[str, str]) -> Column:
    scores = np.array([test.score(name) for test in scored])
    defects = [test.part.defect for test in scored]
    kinds = [GOOD if defect == GOOD else families.get(defect, defect) for defect in defects]
    bad = np.array([kind != GOOD for kind in kinds])
    if bad.all() or not bad.any():
        return Column()
    by_family = {}
    for family in sorted(set(kinds) - {GOOD}):
        chosen = np.array([kind in (GOOD, family) for kind in kinds])
        by_family[family] = image_auroc(scores[chosen], bad[chosen])
    pairs = list(_pairs(scored, name))
    pixels = pixel_metrics(pairs) if any(mask.any() for _, mask in pairs) else None
    best = best_f1(scores, bad)
    return Column(
        image_auroc=image_auroc(scores, bad),
        pixel_auroc=pixels.pixel_auroc if pixels else None,
        aupro={str(limit): value for limit, value in pixels.aupro.items()} if pixels else {},
        aupro_exact={str(limit): value for limit, value in pixels.aupro_exact.items()} if pixels else {},
        families=by_family,
        f1=best.f1,
        f1_threshold=best.threshold,
        recall_at={str(rate): recall_at(scores, bad, rate).recall for rate in FALSE_REJECT_RATES},
    )


def _pairs(
    scored: Iterable[ScoredPart], name: str
) -> Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    return ((test.map(name), test.mask) for test in scored if test.mask is not None)
