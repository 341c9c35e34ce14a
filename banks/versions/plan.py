"""What a product will cost before it is built: rows, bytes, and milliseconds a part on this machine.

Rows and bytes follow from the profile and the number of training parts. Times are measured on this machine:
the pipeline on one part, and the search of its patches in made-up banks of the same width. Only the time of
the search is scaled, by the number of rows.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.coreset import projected_width
from banks.pipeline import PipelineMaker, make_pipeline
from banks.versions.probe import slimmed, to_bytes
from models.fusion.fusion import Fusion
from models.fusion.registry import FUSIONS
from models.sample import Sample
from recipes.profile import Profile

_MEASURED_ROWS = 4096
_REPEATS = 3
_ROW_ORIGIN = 3 * 4  # provenance: three int32 a row
_CHOOSING = 100_000_000  # bytes that the greedy choice of rows takes beside its library
_SMALL_FILES = 20_000  # manifest, normalisers, headers


@dataclass(frozen=True, slots=True)
class BankPlan:
    """One bank.

    seen: training patches.
    rows: patches that the bank keeps.
    dimension: channels of a patch.
    disk_bytes: of the index and of the provenance of its rows.
    search_ms: of one part.
    """

    seen: int
    rows: int
    dimension: int
    disk_bytes: int
    search_ms: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a product of so many parts costs.

    disk_bytes: of one version without its kept features.
    kept_bytes: of the features of its parts, where a version keeps them so that it can be extended.
    memory_bytes: of the banks while they are served. On a GPU `float16` banks take half of it.
    scratch_bytes: on the banks' disk during a build.
    build_peak_bytes: an estimate of the memory of the building process.
    stages_ms: of one part, before the search.
    part_ms: of one part: extraction and search.
    extraction_s: of all training parts. Choosing the rows takes more time.
    """

    profile: str
    parts: int
    banks: dict[str, BankPlan]
    disk_bytes: int
    kept_bytes: int
    memory_bytes: int
    scratch_bytes: int
    build_peak_bytes: int
    stages_ms: dict[str, float]
    part_ms: float
    extraction_s: float


def plan(
    profile: Profile,
    parts: int,
    part: Sample,
    *,
    device: str = "cpu",
    weights_dir: Path,
    make_pipeline: PipelineMaker = make_pipeline,
) -> Plan:
    """The plan for `parts` training parts that are like `part`.

    device: where the networks and the search run.
    weights_dir: where the networks' weights lie.
    Raises MissingWeights where a network's weights are absent, BadSample where the part cannot be used.
    """
    pipeline = make_pipeline(profile, weights_dir, device)
    kind = profile.extraction.fusion
    if kind is not None and "fused" in profile.banks:
        _, features, _ = pipeline(part)
        rgb, point = (features[bank].rows.shape[1] for bank in ("rgb", "point"))
        pipeline = replace(pipeline, fusion=FUSIONS[kind].placeholder(rgb, point, device))
    pipeline(part)  # the first is slower
    stages: dict[str, float] = {}
    runs = [pipeline(part) for _ in range(_REPEATS)]
    for stage in runs[0][2]:
        stages[stage] = median(timings[stage] for _, _, timings in runs)
    features = runs[0][1]
    seen = {bank: parts * len(features[bank].rows) for bank in profile.banks}
    kept = profile.kept(seen)
    banks: dict[str, BankPlan] = {}
    for name, rows in kept.items():
        rows += profile.zero_row and name == "point"
        queries = features[name].rows
        width = queries.shape[1]
        value = 2 if profile.precision == "float16" else 4
        disk = rows * (width * value + _ROW_ORIGIN)
        banks[name] = BankPlan(
            seen[name], rows, width, disk, _search_ms(profile, name, queries, rows, device)
        )
    kept_shapes = {name: patches.rows.shape for name, patches in features.items()}
    return Plan(
        profile=profile.name,
        parts=parts,
        banks=banks,
        disk_bytes=sum(bank.disk_bytes for bank in banks.values())
        + _fusion_bytes(pipeline.fusion)
        + len(to_bytes(slimmed(runs[0][0], pipeline.extractor.needs)))
        + _SMALL_FILES,
        kept_bytes=parts
        * sum(4 * rows * width for name, (rows, width) in kept_shapes.items() if name != "fused"),
        memory_bytes=sum(bank.rows * bank.dimension * 4 for bank in banks.values()),
        scratch_bytes=parts * sum(rows * width * 4 for rows, width in kept_shapes.values()),
        build_peak_bytes=_build_peak(profile, banks),
        stages_ms=stages,
        part_ms=sum(stages.values()) + sum(bank.search_ms for bank in banks.values()),
        extraction_s=parts * sum(stages.values()) / 1000,
    )


def _search_ms(profile: Profile, name: str, queries: torch.Tensor, rows: int, device: str) -> float:
    """Milliseconds to score one part against a number of rows, measured on at most `_MEASURED_ROWS` rows."""
    width = queries.shape[1]
    measured = min(rows, _MEASURED_ROWS)
    made_up = np.random.default_rng(0).standard_normal((measured, width), dtype=np.float32)
    bank = MemoryBank.of(made_up, device=device, precision=profile.precision)
    taken, reweighting = bank.take(queries), profile.banks[name].reweighting
    bank.score(taken, reweighting)  # the first is slower
    times = [_milliseconds(lambda: bank.score(taken, reweighting)) for _ in range(_REPEATS)]
    return rows / measured * median(times)


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def _build_peak(profile: Profile, banks: Mapping[str, BankPlan]) -> int:
    """Peak memory of a build: this process with its networks, plus the projected library of one bank while
    its rows are chosen, plus the rows of all banks, twice while they are written."""
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    libraries = [
        _CHOOSING + bank.seen * projected_width(bank.seen, bank.dimension, profile.coreset_eps) * 4
        for bank in banks.values()
        if bank.rows < bank.seen
    ]
    kept = sum(bank.rows * bank.dimension * 4 for bank in banks.values())
    return here + max(libraries, default=0) + 2 * kept


def _fusion_bytes(fusion: Fusion | None) -> int:
    return sum(t.numel() * t.element_size() for t in fusion.state().values()) if fusion else 0
