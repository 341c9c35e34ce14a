"""The Detector: samples in, results out. Scoring, serving, evaluating and benchmarking all go through it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from banks.columns import Columns
from banks.decision.calibration import Calibration
from banks.decision.coverage import COVERAGE, Coverage
from banks.decision.part_scores import PartScores
from banks.decision.regions import Region, find_regions
from banks.decision.verdict import Decision, Verdict
from banks.methods.evidence import Evidence, evidence
from banks.pipeline import Pipeline, PipelineMaker, make_pipeline
from banks.versions.files import load_probe, load_version
from banks.versions.manifest import Manifest, library_versions
from banks.versions.probe import Probe, difference, scores_of
from banks.versions.store import BadBank
from banks.versions.thresholds import calibration_of
from models.features import PartFeatures
from models.preparation.prepare import PreparedPart, prepare
from models.sample import BadSample, Sample
from models.weights.folder import DEFAULT_WEIGHTS

ThresholdSource = Literal["calibration", "set", "request"]


@dataclass(frozen=True, slots=True)
class PartResult:
    """What Tribank says of one part. Maps are on the square grid; `prepared.frame` leads to the source.

    scores: what each bank says. verdict: what the decision makes of the scores.
    threshold: a part is defective where its score is above it. Scores have no unit.
    threshold_source: "calibration" found it for a rate of rejected good parts; a person "set" it at a score;
        the one "request" asked for it.
    relative_score: the score where 0 is the median held-out good part and 1 the calibrated threshold.
    regions: where the map is above the pixel threshold.
    evidence: what each bank says at the place that decided, by bank name.
    prepared: the part as the extractors saw it.
    timings_ms: milliseconds of each stage.
    """

    scores: PartScores
    verdict: Verdict
    threshold: float
    threshold_source: ThresholdSource
    relative_score: float
    regions: Sequence[Region]
    evidence: Mapping[str, Evidence]
    prepared: PreparedPart
    timings_ms: Mapping[str, float]

    @property
    def score(self) -> float:
        """The part's score."""
        return self.verdict.score

    @property
    def decision(self) -> Literal["good", "defective"]:
        """Whether the score is above the threshold."""
        return "defective" if self.score > self.threshold else "good"

    @property
    def contributions(self) -> Mapping[str, float]:
        """Each bank's share of the score, and that of the coverage where it has one."""
        return self.verdict.contributions

    @property
    def place(self) -> tuple[float, float] | None:
        """x, y in source pixels of the place that decided the score; None for a rule without a place."""
        place = self.verdict.place
        return None if place is None else self.prepared.frame.source_point(place)

    @property
    def map(self) -> NDArray[np.float32]:
        """(size, size) float32: the final map."""
        return self.verdict.map

    @property
    def bank_scores(self) -> dict[str, float]:
        """Each bank's image score."""
        return self.scores.image_scores

    @property
    def bank_maps(self) -> Mapping[str, NDArray[np.float32]]:
        """(size, size) float32: each bank's map."""
        return self.scores.maps

    def judged(self, threshold: float, pixel_threshold: float) -> PartResult:
        """The same result by a request's own threshold.

        pixel_threshold: of map values, for the regions of a part that only this threshold rejects.
        """
        result = replace(self, threshold=threshold, threshold_source="request")
        if self.decision == result.decision or result.decision == "good":
            return result
        return replace(result, regions=_regions(self.verdict, pixel_threshold, self.prepared, rejected=True))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All stages as arrays: `score`, `threshold`, `map`, and for every bank `<bank>_distances`,
        `<bank>_pixel` (row-major in the map: where each distance belongs), `<bank>_score`, `<bank>_map`."""
        arrays: dict[str, NDArray[Any]] = {
            "score": np.array(self.score),
            "threshold": np.array(self.threshold),
            "map": self.map,
        }
        for bank, finding in self.scores.findings.items():
            arrays[f"{bank}_distances"] = finding.values
            arrays[f"{bank}_pixel"] = finding.layout.pixels(len(self.map))
            arrays[f"{bank}_score"] = np.array(finding.image_score)
            arrays[f"{bank}_map"] = self.bank_maps[bank]
        return arrays


def _regions(
    verdict: Verdict, pixel_threshold: float, prepared: PreparedPart, *, rejected: bool
) -> Sequence[Region]:
    """The regions of a part. One region of a rejected part contains the place that decided."""
    decided = verdict.place if rejected else None
    return find_regions(
        verdict.map, pixel_threshold, prepared.frame, prepared.xyz, prepared.valid, decided=decided
    )


class Detector:
    """One bank version with its extractors.

    On a CPU several threads may score at once. On a GPU one thread owns a detector.
    """

    def __init__(
        self,
        manifest: Manifest,
        product: str,
        version: str,
        pipeline: Pipeline,
        columns: Columns,
        decision: Decision,
        calibration: Calibration,
        probe: Probe | None = None,
    ) -> None:
        """calibration: the manifest's, with the threshold that a person may have moved.

        probe: of the version, to be scored before any other part.
        """
        self.manifest = manifest
        self.product = product
        self.version = version
        self.calibration = calibration
        """Threshold, colours and the held-out evidence behind them. The service puts another one in its place
        when a person moves the threshold of a version that is being served."""
        self.pipeline = pipeline
        self.columns = columns
        self._decision = decision
        self._provenance = columns.provenance
        self._probe = probe

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        device: str = "cpu",
        weights_dir: Path = DEFAULT_WEIGHTS,
        prepared: bool = False,
        check_probe: bool = True,
        make_pipeline: PipelineMaker = make_pipeline,
    ) -> Detector:
        """Check and load a version directory, `<product>/<version>`.

        device: where the networks and the columns run.
        weights_dir: where the networks' weights lie.
        prepared: whether the parts will come as the published preprocessing leaves them. The training parts
            may have come otherwise.
        check_probe: whether to score the version's probe now; else `warm_up` does.
        make_pipeline: makes the pipeline of the version's profile.

        Raises `banks.versions.store.BadBank` if any file, any network or the probe's scores are not as built,
        MissingWeights where a network's weights are absent.
        """
        manifest, pipeline, columns, decision = load_version(
            folder, device=device, weights_dir=weights_dir, make_pipeline=make_pipeline
        )
        if prepared:
            preparation = replace(pipeline.preparation, background="none")
            pipeline = replace(pipeline, preparation=preparation)
        product = folder.absolute().parent.name  # also where the folder was copied or renamed since the build
        detector = cls(
            manifest,
            product,
            folder.name,
            pipeline,
            columns,
            decision,
            calibration_of(folder, manifest.calibration),
            load_probe(folder, manifest),
        )
        if check_probe:
            detector.check_probe()
        return detector

    def with_columns(self, columns: Columns) -> Detector:
        """The same version with other columns, whose scores nothing has checked: for measurements."""
        return Detector(
            self.manifest,
            self.product,
            self.version,
            self.pipeline,
            columns,
            self._decision,
            self.calibration,
        )

    def check_probe(self) -> None:
        """Score the version's probe, once. Raises BadBank where its scores are not those of the build."""
        if self._probe is None or self.manifest.probe is None:
            return
        try:
            banks, score = scores_of(self._probe.prepared, self.pipeline, self.columns, self._decision)
        except ArithmeticError as error:
            differs = str(error)
        else:
            threshold = self.manifest.calibration.threshold
            differs = difference(self.manifest.probe, banks, score, threshold=threshold)
        if differs is not None:
            raise BadBank(
                f"bank version {self.product}/{self.version} does not score here as where it was built: its "
                f"probe part has {differs}. {_built_where(self.manifest)}"
            )
        self._probe = None

    def score(self, samples: Sequence[Sample]) -> list[PartResult | BadSample]:
        """Score parts, each as if it came alone. A part that cannot be scored gives its BadSample."""
        results: list[PartResult | BadSample] = []
        for sample in samples:
            try:
                results.append(self._score_one(sample))
            except BadSample as error:
                results.append(error)
        return results

    def _score_one(self, sample: Sample) -> PartResult:
        return self._judge(*self.pipeline(sample))

    def _judge(self, prepared: PreparedPart, features: PartFeatures, timings: dict[str, float]) -> PartResult:
        start = time.perf_counter()
        scores = self.columns.score(features)
        timings["search"] = 1000 * (time.perf_counter() - start)
        start = time.perf_counter()
        verdict = self._decision.judge(scores)
        if (look := prepared.look) is not None:
            verdict, scores = verdict.within(look > 0), scores.within(look)
        calibration = self.calibration
        verdict = self._with_coverage(verdict, prepared)
        rejected = verdict.score > calibration.threshold
        regions = _regions(verdict, calibration.pixel_threshold, prepared, rejected=rejected)
        parts, frame = self.manifest.training_parts, prepared.frame
        why = evidence(scores.findings, self._provenance, parts, frame, verdict.place)
        timings["decide"] = 1000 * (time.perf_counter() - start)
        return PartResult(
            scores=scores,
            verdict=verdict,
            threshold=calibration.threshold,
            threshold_source="set" if calibration.basis == "set" else "calibration",
            relative_score=calibration.relative(verdict.score),
            regions=regions,
            evidence=why,
            prepared=prepared,
            timings_ms=timings,
        )

    def _with_coverage(self, verdict: Verdict, prepared: PreparedPart) -> Verdict:
        """The verdict with the contribution of the coverage, if the part differs from the good parts."""
        coverage = self.coverage
        if coverage is None:
            return verdict
        share = coverage.contribution(prepared.area, prepared.pieces, self.calibration.reach)
        if not share:
            return verdict
        decided = verdict.place if verdict.score > self.calibration.threshold else None
        return replace(verdict, contributions={**verdict.contributions, COVERAGE: share}, place=decided)

    @property
    def coverage(self) -> Coverage | None:
        """What good parts show: see `coverage_of`."""
        return coverage_of(self.manifest, self.calibration)

    def warm_up(self) -> None:
        """Run every stage once on a made-up part, so that the first real part is not slow, and check the
        probe.

        Settings that would refuse the made-up part are left out: a refusal would warm nothing. Raises
        BadBank, and whatever else a stage raises.
        """
        lenient = replace(self.pipeline.preparation, min_points=1, no_return=None)
        prepared = prepare(made_up_part(scale=lenient.length("clearance") / _CLEARED), lenient)
        self._judge(prepared, *self.pipeline.extract(prepared))
        self.check_probe()


def coverage_of(manifest: Manifest, calibration: Calibration) -> Coverage | None:
    """What good parts show: those of the build, and odd ones that a person called good."""
    built = manifest.coverage
    shown = [part for part in calibration.confirmed if part.area is not None]
    areas = [part.area for part in shown if part.area is not None]
    return built and built.joined(Coverage.of(areas, [part.pieces for part in shown]))


_CLEARED = 0.005
"""A made-up part stands far enough above its plane for this clearance, metres."""


def made_up_part(side: int = 224, *, scale: float = 1.0) -> Sample:
    """A bump on a plane, side x side pixels: to warm up, or to time a pipeline, without a real part.

    scale: 1 for a part of 0.2 m.
    """
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    inside = np.hypot(x, y) < 0.35
    z = np.where(inside, 0.5 - 0.05 * np.cos(4 * np.hypot(x, y)), 0.52)
    xyz = (scale * np.stack([0.2 * x + 1e-4, 0.2 * y + 1e-4, z], axis=-1)).astype(np.float32)
    rgb = np.repeat((255 * inside).astype(np.uint8)[..., None], 3, axis=-1)
    return Sample(rgb=rgb, xyz=xyz, valid=np.ones((side, side), dtype=bool))


def _built_where(manifest: Manifest) -> str:
    """Where a version was built, which libraries are other ones here, and what to do."""
    here = library_versions()
    others = [
        f"{name} {then} (here {here.get(name, 'none')})"
        for name, then in manifest.libraries.items()
        if here.get(name) != then
    ]
    libraries = ", ".join(others) or "the same libraries as here"
    built = f"It was built on '{manifest.device}' with {libraries}."
    return f"{built} Score the version where it was built, or build it again here."
