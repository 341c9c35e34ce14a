"""Builds, scores and measures one run after another, keeping what is finished and never extracting twice."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from banks.detector import Detector
from banks.versions.builder import Builder
from banks.versions.store import BankStore
from evaluation.bench.environment import environment, peak_memory_mb
from evaluation.cached_extractor import cached_pipelines
from evaluation.datasets.collection import open_products
from evaluation.feature_cache import FeatureCache
from evaluation.product_evaluation import (
    Evaluation,
    Scores,
    columns_of,
    families_of,
    score_parts,
)
from evaluation.result_log import ResultLog
from evaluation.run import Run, drawn_folder, fingerprint
from models.readers.product_folder import GOOD, ProductFolder
from models.weights.folder import DEFAULT_WEIGHTS, missing_weights
from models.weights.store import WeightStore
from recipes.profile import Profile
from recipes.profiles import find_profile

Told = Callable[[Run, str, int, int], None]
"""Called with the run, a stage's name, how much of it is done, and how much there is."""


class NothingToEvaluate(ValueError):
    """There is no product, or no part to test on; the message says what was expected."""


CACHE_BYTES = 10 * 10**9
"""Default limit of the feature cache; the points of M3DM are 14 MB a part."""


@dataclass
class Evaluator:
    """Evaluates the products of one folder into one output folder.

    data: as `open_products` takes it. prepared: parts come as the published preprocessing leaves them.
    changes: of every profile, as `find_profile` takes them.
    cache: where extracted features are kept; default, in `out`.
    """

    data: Path
    out: Path
    device: str = "cpu"
    weights_dir: Path = DEFAULT_WEIGHTS
    prepared: bool = False
    seed: int = 0
    cache: FeatureCache | None = None
    told: Told = lambda run, stage, done, total: None
    changes: Sequence[str] = ()
    products: Mapping[str, ProductFolder] = field(init=False)

    def __post_init__(self) -> None:
        """Raises NotAProductFolder where there is no product."""
        self.products = open_products(self.data, self.seed)
        self._log = ResultLog(self.out)
        self._make = cached_pipelines(self.cache or FeatureCache(self.out / "features", CACHE_BYTES))
        self._environment = environment(self.device)

    def profile(self, run: Run) -> Profile:
        """The recipe of a run: parts without clouds are taken as they are. Raises UnknownProfile,
        BadChange."""
        folder = self.products[run.product]
        prepared = self.prepared or not folder.has_clouds
        return find_profile(run.profile, prepared=prepared, changes=self.changes)

    def missing(self, profile: str) -> list[str]:
        """Names of the weights that a profile needs and that are not here."""
        return missing_weights(self.weights_dir, find_profile(profile).extraction.weights())

    def check_weights(self, run: Run) -> None:
        """Raises UnknownProfile, or MissingWeights with what to do about them."""
        store = WeightStore(self.weights_dir)
        for name in self.profile(run).extraction.weights():
            store.describe(name)

    def evaluate(self, run: Run) -> Evaluation:
        """The run's result, kept from before or computed.

        Raises NothingToEvaluate, ValueError for more shots than parts, and what `Builder.build` raises.
        """
        folder = drawn_folder(self.products[run.product], run)
        if not folder.test:
            raise NothingToEvaluate(
                f"{run.product} has no test parts: expected test/good and test/<defect> beside train/, or a "
                "folder for each defect beside good/."
            )
        digest = self._fingerprint(run, folder)
        known = self._log.get(digest)
        if known is not None:
            return known
        start = time.perf_counter()
        detector, scores = self._scored(run, digest, folder)
        if run.shots is not None:
            shutil.rmtree(self._banks(digest), ignore_errors=True)
        goods = [one for one in scores.parts if one.part.defect == GOOD]
        defects = [one for one in scores.parts if one.part.defect != GOOD]
        times = scores.milliseconds or [0.0]
        evaluation = Evaluation(
            run=run,
            fingerprint=digest,
            columns=columns_of(scores.parts, self.families(run.product)),
            trained_on=len(detector.manifest.training_parts),
            drawn=() if run.shots is None else detector.manifest.training_parts,
            goods=len(goods),
            false_rejects=sum(one.result.decision == "defective" for one in goods),
            defects=len(defects),
            misses=sum(one.result.decision == GOOD for one in defects),
            unmasked=sum(one.mask is None for one in defects),
            resized=sum(one.resized for one in scores.parts),
            unusable=scores.unusable,
            p50_ms=float(np.quantile(times, 0.5)),
            p90_ms=float(np.quantile(times, 0.9)),
            wall_s=round(time.perf_counter() - start, 2),
            peak_memory_mb=peak_memory_mb(),
            environment=self._environment,
        )
        self._log.add(evaluation)
        return evaluation

    def scored(self, run: Run) -> tuple[Detector, Scores]:
        """The loaded banks of a run, built if they are not there, and its test parts scored."""
        folder = drawn_folder(self.products[run.product], run)
        return self._scored(run, self._fingerprint(run, folder), folder)

    def families(self, product: str) -> dict[str, str]:
        """Defect families of a product; empty where none are declared."""
        inside = self.data / product
        return families_of(inside if inside.is_dir() else self.data)

    def _scored(self, run: Run, digest: str, folder: ProductFolder) -> tuple[Detector, Scores]:
        def told(stage: str, done: int, total: int, note: str = "") -> None:
            self.told(run, stage, done, total)

        store, name = BankStore(self._banks(digest)), _bank_name(run.product)
        if store.current(name) is None:
            Builder(
                self.profile(run),
                store,
                run.seed,
                self.device,
                self.weights_dir,
                told,
                self._make,
                keep_parts=False,
            ).build(name, folder)
        detector = Detector.load(
            store.path(name), device=self.device, weights_dir=self.weights_dir, make_pipeline=self._make
        )
        scores = score_parts(detector, folder.test, lambda done, total: told("test parts", done, total))
        return detector, scores

    def _fingerprint(self, run: Run, folder: ProductFolder) -> str:
        profile = self.profile(run)
        store = WeightStore(self.weights_dir)
        weights = {name: store.describe(name).sha256 for name in profile.extraction.weights()}
        return fingerprint(run, profile, weights, folder)

    def _banks(self, digest: str) -> Path:
        """Where the banks of a run lie: a changed run never meets another's."""
        return self.out / "banks" / digest[:16]


def _bank_name(product: str) -> str:
    """A folder's name as the bank store takes it."""
    return re.sub(r"[^a-z0-9_-]+", "-", product.lower()).strip("-_")[:63] or "product"
