"""What a product will cost before it is built: rows, bytes, and milliseconds a part on this machine.

Rows and bytes follow from the profile and the number of training parts. Times are measured on this machine,
on one part. Every column's method says what the column will cost.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from banks.methods.method import ColumnPlan, PlanTask
from banks.methods.registry import find_method
from banks.pipeline import PipelineMaker, make_pipeline
from banks.versions.probe import slimmed, to_bytes
from models.fusion.fusion import Fusion, FusionTask
from models.fusion.registry import FUSIONS
from models.preparation.measure import measure
from models.sample import Sample
from models.weights.store import WeightStore
from recipes.profile import Profile

_REPEATS = 3
_SMALL_FILES = 20_000  # manifest, normalisers, headers
_FINAL_MAPS = 4  # of a held-out part: by the decision, in one array with the others, two copies for a median


@dataclass(frozen=True, slots=True)
class Plan:
    """What a product of so many parts costs.

    size: points along an edge of the grid.
    disk_bytes: of one version without its kept features.
    kept_bytes: of the features of its parts, where a version keeps them so that it can be extended.
    memory_bytes: of the banks while they are served. On a GPU `float16` banks take half of it.
    scratch_bytes: on the banks' disk during a build.
    build_peak_bytes: an estimate of the memory of the building process.
    stages_ms: of one part, before the search.
    part_ms: of one part: extraction and search.
    extraction_s: of all training parts. Choosing the rows takes more time.
    training_s: of the fusion and of the columns whose networks are trained.
    """

    profile: str
    parts: int
    size: int
    banks: dict[str, ColumnPlan]
    disk_bytes: int
    kept_bytes: int
    memory_bytes: int
    scratch_bytes: int
    build_peak_bytes: int
    stages_ms: dict[str, float]
    part_ms: float
    extraction_s: float
    training_s: float


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
    Raises UnknownMethod, MissingWeights where a network's weights are absent, BadSample where the part cannot
    be used.
    """
    profile = profile.resolved(measure([part], profile.preparation))
    methods = {name: find_method(recipe.method) for name, recipe in profile.banks.items()}
    pipeline = make_pipeline(profile, weights_dir, device)
    kind = profile.extraction.fusion
    _, features, _ = pipeline(part)  # the first is slower
    training_s = 0.0
    if kind is not None and "fused" in profile.banks:
        rgb, point = (features[bank].rows.shape[1] for bank in ("rgb", "point"))
        pipeline = replace(pipeline, fusion=FUSIONS[kind].placeholder(rgb, point, device))
        training_s = FUSIONS[kind].training_s(
            FusionTask(
                pairs=[(features["rgb"], features["point"])] * parts,
                folder=weights_dir,
                weights=WeightStore(weights_dir),
                training=profile.extraction.training,
                device=device,
                progress=lambda done, total, loss: None,
            )
        )
    stages: dict[str, float] = {}
    runs = [pipeline(part) for _ in range(_REPEATS)]
    for stage in runs[0][2]:
        stages[stage] = median(timings[stage] for _, _, timings in runs)
    features = runs[0][1]
    seen = {bank: parts * len(features[bank].rows) for bank in profile.banks}
    banks = {
        name: method.plan(PlanTask(name, profile, seen, features[name], device, WeightStore(weights_dir)))
        for name, method in methods.items()
    }
    kept_shapes = {name: patches.rows.shape for name, patches in features.items()}
    return Plan(
        profile=profile.name,
        parts=parts,
        size=profile.preparation.size,
        banks=banks,
        disk_bytes=sum(bank.disk_bytes for bank in banks.values())
        + _fusion_bytes(pipeline.fusion)
        + len(to_bytes(slimmed(runs[0][0], pipeline.extractor.needs)))
        + _SMALL_FILES,
        kept_bytes=parts
        * sum(4 * rows * width for name, (rows, width) in kept_shapes.items() if name != "fused"),
        memory_bytes=sum(bank.memory_bytes for bank in banks.values()),
        scratch_bytes=parts * sum(rows * width * 4 for rows, width in kept_shapes.values()),
        build_peak_bytes=_build_peak(banks, profile, parts),
        stages_ms=stages,
        part_ms=sum(stages.values()) + sum(bank.search_ms for bank in banks.values()),
        extraction_s=parts * sum(stages.values()) / 1000,
        training_s=training_s + sum(bank.training_s for bank in banks.values()),
    )


def _build_peak(banks: Mapping[str, ColumnPlan], profile: Profile, parts: int) -> int:
    """Peak memory of a build: this process with its networks, plus the rows of all columns and what stands
    in for rows, plus the larger of two steps: fitting one column beside a second copy of the rows, or the
    maps of the held-out parts. As many patches stand in as there are rows, at most."""
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    kept = sum(bank.memory_bytes for bank in banks.values())
    held_out = min(parts, profile.calibration_parts)
    maps = 4 * profile.preparation.size**2 * held_out * (len(banks) + _FINAL_MAPS)
    return here + 2 * kept + max(max(bank.fit_bytes for bank in banks.values()) + kept, maps)


def _fusion_bytes(fusion: Fusion | None) -> int:
    return sum(t.numel() * t.element_size() for t in fusion.state().values()) if fusion else 0
