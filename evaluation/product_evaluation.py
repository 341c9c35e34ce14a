"""One product scored by one bank version over its test parts: what each bank and the decision bring."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from banks.detector import Detector, PartResult
from evaluation.metrics import image_auroc, pixel_metrics
from models.product_folder import GOOD, PartFile, ProductFolder
from models.readers import read_rgb
from models.sample import BadSample

FINAL = "final"
"""The decision's scores, beside the banks' own."""


@dataclass(frozen=True, slots=True)
class Column:
    """The metrics of one score: a bank's, or the final one.

    families: image AUROC of each defect family against all good parts. None where it cannot be computed.
    """

    image_auroc: float | None
    pixel_auroc: float | None
    aupro: dict[str, float]
    aupro_exact: dict[str, float]
    families: dict[str, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One line of results. false_rejects of goods, misses of defects at the calibrated threshold."""

    product: str
    profile: str
    bank_version: str
    columns: dict[str, Column]
    goods: int
    false_rejects: int
    defects: int
    misses: int
    unusable: dict[str, str]
    p50_ms: float

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Evaluation:
        """Inverse of `to_json`."""
        data = json.loads(line)
        columns = {name: Column(**column) for name, column in data.pop("columns").items()}
        return cls(columns=columns, **data)


@dataclass(frozen=True, slots=True)
class _Scored:
    part: PartFile
    result: PartResult
    mask: NDArray[np.bool_]


def evaluate(
    detector: Detector,
    folder: ProductFolder,
    families: Mapping[str, str],
    progress: Callable[[int, int], None],
) -> Evaluation:
    """Score the test parts and compute every metric. families: defect -> family; others are their own."""
    scored, unusable, milliseconds = [], {}, []
    for number, part in enumerate(folder.test, start=1):
        sample = part.read()
        start = time.perf_counter()
        (result,) = detector.score([sample])
        milliseconds.append(1000 * (time.perf_counter() - start))
        if isinstance(result, BadSample):
            unusable[part.name] = str(result)
        else:
            scored.append(_Scored(part, result, _mask(part, result)))
        progress(number, len(folder.test))
    goods = [s for s in scored if s.part.defect == GOOD]
    defects = [s for s in scored if s.part.defect != GOOD]
    return Evaluation(
        product=detector.product,
        profile=detector.manifest.profile.name,
        bank_version=detector.version,
        columns={name: _column(name, scored, families) for name in (*detector.manifest.profile.banks, FINAL)},
        goods=len(goods),
        false_rejects=sum(s.result.decision == "defective" for s in goods),
        defects=len(defects),
        misses=sum(s.result.decision == GOOD for s in defects),
        unusable=unusable,
        p50_ms=float(np.median(milliseconds)) if milliseconds else 0.0,
    )


def families_of(folder: Path) -> dict[str, str]:
    """Defect families as a demo product's `parts.json` declares them; empty for other folders."""
    facts = folder / "parts.json"
    return json.loads(facts.read_text()).get("families", {}) if facts.is_file() else {}


def _mask(part: PartFile, result: PartResult) -> NDArray[np.bool_]:
    if part.mask is None:
        return np.zeros(result.map.shape, dtype=bool)
    mask = read_rgb(part.mask.read_bytes()).max(axis=-1) > 0
    return result.prepared.frame.mask_to_grid(mask, len(result.map))


def _column(name: str, scored: Sequence[_Scored], families: Mapping[str, str]) -> Column:
    scores = np.array([_score(s, name) for s in scored])
    kinds = [GOOD if s.part.defect == GOOD else families.get(s.part.defect, s.part.defect) for s in scored]
    bad = np.array([kind != GOOD for kind in kinds])
    if bad.all() or not bad.any():
        return Column(None, None, {}, {}, {})
    by_family = {}
    for family in sorted(set(kinds) - {GOOD}):
        chosen = np.array([kind in (GOOD, family) for kind in kinds])
        by_family[family] = image_auroc(scores[chosen], bad[chosen])
    pixels = pixel_metrics(_pairs(scored, name)) if any(s.mask.any() for s in scored) else None
    return Column(
        image_auroc=image_auroc(scores, bad),
        pixel_auroc=pixels.pixel_auroc if pixels else None,
        aupro={str(limit): value for limit, value in pixels.aupro.items()} if pixels else {},
        aupro_exact={str(limit): value for limit, value in pixels.aupro_exact.items()} if pixels else {},
        families=by_family,
    )


def _score(scored: _Scored, name: str) -> float:
    return scored.result.score if name == FINAL else scored.result.bank_scores[name]


def _pairs(scored: Iterable[_Scored], name: str) -> Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    for one in scored:
        yield (one.result.map if name == FINAL else one.result.bank_maps[name]), one.mask
