"""Builds, scores and measures runs. Finished runs are kept, and the features of a part are extracted once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from banks.detector import Detector
from banks.versions.builder import Builder
from banks.versions.store import BadBank, BankStore
from evaluation.bench.environment import environment, peak_memory_mb
from evaluation.cached_extractor import cached_pipelines
from evaluation.datasets.collection import bank_name, open_products
from evaluation.feature_cache import FeatureCache
from evaluation.product_evaluation import (
    Evaluation,
    ScoredParts,
    columns_of,
    families_of,
    score_parts,
)
from evaluation.result_log import ResultLog
from evaluation.run import Run, drawn_folder, fingerprint
from models.readers.folder_layout import GOOD
from models.readers.product_folder import ProductFolder
from models.weights.folder import DEFAULT_WEIGHTS, missing_weights
from models.weights.store import WeightStore
from recipes.profile import Profile
from recipes.profiles import find_profile

RunProgress = Callable[[Run, str, int, int], None]
"""Callback with the run, the stage's name, the steps done and the number of steps."""


class NothingToEvaluate(ValueError):
    """There is no such product, or the product has no test parts. The message says what was expected."""


CACHE_BYTES = 10 * 10**9
"""Default limit of the feature cache. M3DM's point features take 14 MB per part."""


@dataclass
class Evaluator:
    """Evaluates the products of one folder into one output folder.

    Attributes:
        data: folder for `open_products`.
        out: output folder.
        device: where networks and searches run.
        weights_dir: folder of network weights.
        prepared: whether the background of the parts is already removed.
        seed: of the parts held out of a good/ folder.
        cache: for extracted features; None is a cache in `out`.
        progress: called after each step.
        changes: of every profile, for `find_profile`.
        declared: words about the files of every part, which override what the folders declare.
        products: the product folders by name.
    """

    data: Path
    out: Path
    device: str = "cpu"
    weights_dir: Path = DEFAULT_WEIGHTS
    prepared: bool = False
    seed: int = 0
    cache: FeatureCache | None = None
    progress: RunProgress = lambda run, stage, done, total: None
    changes: Sequence[str] = ()
    declared: Mapping[str, bytes] = field(default_factory=dict)
    products: Mapping[str, ProductFolder] = field(init=False)

    def __post_init__(self) -> None:
        """Open the products. Raises NotAProductFolder if there is no product."""
        found = open_products(self.data, self.seed)
        self.products = {name: folder.declaring(self.declared) for name, folder in found.items()}
        self._log = ResultLog(self.out)
        self._make = cached_pipelines(self.cache or FeatureCache(self.out / "features", CACHE_BYTES))
        self._environment = environment(self.device)

    def chosen(self, names: Sequence[str] | None) -> list[str]:
        """The products of these names, in the order of the folder; all products without names.

        Raises NothingToEvaluate for a name that the folder does not have.
        """
        unknown = [name for name in names or () if name not in self.products]
        if unknown:
            has = ", ".join(self.products)
            raise NothingToEvaluate(f"{self.data} has no product {', '.join(unknown)}. It has: {has}.")
        return [name for name in self.products if not names or name in names]

    def profile(self, run: Run) -> Profile:
        """The profile of a run. The background is kept if the parts have no clouds.

        Raises UnknownProfile or BadChange.
        """
        folder = self.products[run.product]
        prepared = self.prepared or not folder.has_clouds
        return find_profile(run.profile, prepared=prepared, changes=self.changes)

    def missing(self, profile: str) -> list[str]:
        """Names of the weights that a profile needs and that are not installed."""
        return missing_weights(self.weights_dir, find_profile(profile).extraction.weights())

    def check_weights(self, run: Run) -> None:
        """Check that the weights of a run are installed. Raises UnknownProfile, or MissingWeights with a
        fix."""
        store = WeightStore(self.weights_dir)
        for name in self.profile(run).extraction.weights():
            store.describe(name)

    def evaluate(self, run: Run) -> Evaluation:
        """Return the stored result of the run, or compute and store it.

        Raises NothingToEvaluate; ValueError for more shots than parts; BadBank for damaged banks in `out`;
        the errors of `Builder.build`.
        """
        folder = self._folder(run)
        digest = self._fingerprint(run, folder)
        stored = self._log.get(digest)
        if stored is not None:
            return stored
        start = time.perf_counter()
        detector, scores = self._scored(run, digest, folder)
        if run.shots is not None:
            shutil.rmtree(self._banks(digest), ignore_errors=True)
        if not scores.parts:
            part, reason = next(iter(scores.unusable.items()))
            raise NothingToEvaluate(
                f"none of its {len(scores.unusable)} test parts can be used. The first is {part}: {reason}"
            )
        goods = [scored for scored in scores.parts if scored.part.defect == GOOD]
        defects = [scored for scored in scores.parts if scored.part.defect != GOOD]
        times = scores.milliseconds or [0.0]
        evaluation = Evaluation(
            run=run,
            fingerprint=digest,
            columns=columns_of(scores.parts, self.families(run.product)),
            trained_on=len(detector.manifest.training_parts),
            drawn=() if run.shots is None else detector.manifest.training_parts,
            goods=len(goods),
            false_rejects=sum(scored.result.decision == "defective" for scored in goods),
            defects=len(defects),
            misses=sum(scored.result.decision == GOOD for scored in defects),
            unmasked=sum(scored.mask is None for scored in defects),
            resized=sum(scored.resized for scored in scores.parts),
            unusable=scores.unusable,
            p50_ms=float(np.quantile(times, 0.5)),
            p90_ms=float(np.quantile(times, 0.9)),
            wall_s=round(time.perf_counter() - start, 2),
            peak_memory_mb=peak_memory_mb(),
            environment=self._environment,
            mixed=tuple(part.name for part in folder.train if part.defect != GOOD),
            odd=tuple(part.name for part in detector.manifest.calibration.odd),
        )
        self._log.add(evaluation)
        return evaluation

    def scored(self, run: Run) -> tuple[Detector, ScoredParts]:
        """Load the banks of a run, or build them, and score the test parts.

        Raises as `evaluate`.
        """
        folder = self._folder(run)
        return self._scored(run, self._fingerprint(run, folder), folder)

    def families(self, product: str) -> dict[str, str]:
        """Family of each defect of a product; empty if none are declared."""
        for part in self.products[product].test[:1]:
            for folder in next(iter(part.files.values())).parents:
                if (families := families_of(folder)) or folder == self.data:
                    return families
        return {}

    def _folder(self, run: Run) -> ProductFolder:
        """The parts of a run. Raises NothingToEvaluate; ValueError for more shots than parts."""
        folder = drawn_folder(self.products[run.product], run)
        if not folder.test:
            raise NothingToEvaluate(
                "it has no test parts. Expected test/good and test/<defect> beside train/, or "
                "one folder per defect beside good/."
            )
        return folder

    def _scored(self, run: Run, digest: str, folder: ProductFolder) -> tuple[Detector, ScoredParts]:
        def progress(stage: str, done: int, total: int, note: str = "") -> None:
            self.progress(run, stage, done, total)

        banks = self._banks(digest)
        store, name = BankStore(banks), bank_name(run.product)
        try:
            if store.current(name) is None:
                Builder(
                    self.profile(run),
                    store,
                    run.seed,
                    self.device,
                    self.weights_dir,
                    progress,
                    self._make,
                    keep_parts=False,
                ).build(name, folder)
            detector = Detector.load(
                store.path(name), device=self.device, weights_dir=self.weights_dir, make_pipeline=self._make
            )
        except BadBank as error:
            again = f"The banks in {banks} cannot be used. Delete this folder to build them again."
            raise BadBank(f"{again} {error}") from error
        scores = score_parts(detector, folder.test, lambda done, total: progress("test parts", done, total))
        return detector, scores

    def _fingerprint(self, run: Run, folder: ProductFolder) -> str:
        profile = self.profile(run)
        store = WeightStore(self.weights_dir)
        weights = {name: store.describe(name).sha256 for name in profile.extraction.weights()}
        return fingerprint(run, profile, weights, folder, self.families(run.product))

    def _banks(self, digest: str) -> Path:
        """Folder of the banks of a run. A changed run has another folder."""
        return self.out / "banks" / digest[:16]
