"""The offline builder: good parts in, one published bank version out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from banks import decision as decisions
from banks.bank_set import BankSet, NormalisedBank, PartScores
from banks.calibration import calibrate
from banks.coreset import greedy, project
from banks.decision import Decision
from banks.feature_store import FeatureStore
from banks.manifest import BankFacts, Manifest, library_versions, now
from banks.memory_bank import MemoryBank, Normaliser
from banks.pipeline import DEFAULT_WEIGHTS, Pipeline, make_pipeline
from banks.profile import BankRecipe, Profile
from banks.store import BadBank, BankStore, verify_files
from banks.version_files import Provenance, write_files
from models.fusion import FUSIONS
from models.product_folder import PartFile, ProductFolder
from models.sample import BadSample

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is."""

MIN_PARTS = 2
_MOST_SKIPPED = 0.1  # a folder with more unusable parts than this is a mistake, not bad luck


class BuildError(ValueError):
    """The good parts cannot make a bank; the message says what to do."""


@dataclass
class _Parts:
    """Stored features of the usable parts of one split, with their valid masks."""

    store: FeatureStore
    names: list[str] = field(default_factory=list)
    valid: list[NDArray[np.bool_]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass
class Builder:
    """Builds versions of one profile.

    seed: of the random projections; the only chance in a build. weights_dir: where the networks' weights lie.
    """

    profile: Profile
    store: BankStore
    seed: int = 0
    device: str = "cpu"
    weights_dir: Path = DEFAULT_WEIGHTS
    progress: Progress = lambda stage, done, total: None

    def build(self, product: str, folder: ProductFolder) -> str:
        """Build, check and publish a version; returns its name.

        Raises BuildError where the parts cannot make a bank, BankNotFound for an impossible product name,
        MissingWeights where a network's weights are absent.
        """
        pipeline = make_pipeline(self.profile, self.weights_dir, self.device)
        with self.store.building(product) as scratch:
            train = self._extract("training parts", folder.train, pipeline, scratch / "train")
            held_out = self._extract("validation parts", folder.validation, pipeline, scratch / "validation")
            if len(train.names) < MIN_PARTS:
                raise BuildError(f"{len(train.names)} usable good parts: a bank needs at least {MIN_PARTS}.")
            self._fuse(pipeline, train, held_out)
            banks, provenance = self._fill(train, range(len(train.names)), "")
            scores = self._held_out_scores(banks, train, held_out)
            masks = held_out.valid if held_out.names else train.valid
            decision = self._fit_decision(scores)
            final = [decision.score(part.image_scores) for part in scores]
            maps = np.stack([decision.map(part.maps) for part in scores])
            calibration = calibrate(final, maps, np.stack(masks), self.profile.false_reject_rate)
            staged = scratch / "version"
            staged.mkdir()
            files = write_files(staged, banks, pipeline.fusion, provenance)
            Manifest(
                product=product,
                created=now(),
                profile=self.profile,
                seed=self.seed,
                device=self.device,
                training_parts=tuple(train.names),
                skipped_parts=train.skipped | held_out.skipped,
                banks=self._facts(train, banks),
                decision=decision.to_json(),
                calibration=calibration,
                weights=pipeline.extractor.weights,
                files=files,
                libraries=library_versions(),
            ).write(staged)
            return self.store.publish(product, staged, check=_check)

    def _extract(self, stage: str, parts: Sequence[PartFile], pipeline: Pipeline, folder: Path) -> _Parts:
        found = _Parts(FeatureStore(folder))
        for number, part in enumerate(parts, start=1):
            try:
                prepared, features, _ = pipeline(part.read())
            except BadSample as error:
                found.skipped[part.name] = str(error)
            else:
                found.store.append(features)
                found.names.append(part.name)
                found.valid.append(prepared.valid)
            self.progress(stage, number, len(parts))
        if len(found.skipped) > max(1, _MOST_SKIPPED * len(parts)):
            name, reason = next(iter(found.skipped.items()))
            raise BuildError(f"{len(found.skipped)} of {len(parts)} {stage} cannot be used. {name}: {reason}")
        return found

    def _fuse(self, pipeline: Pipeline, *splits: _Parts) -> None:
        """Fit the fusion on the training parts and add its grids to every split."""
        kind = self.profile.extraction.fusion
        if kind is None or "fused" not in self.profile.banks:
            return
        train = splits[0].store
        pairs = ((train.grid("rgb", i), train.grid("point", i)) for i in range(train.parts))
        fusion = FUSIONS[kind].fit(pairs)
        for split in splits:
            store = split.store
            grids = (fusion(store.grid("rgb", i), store.grid("point", i)) for i in range(store.parts))
            store.add_bank("fused", grids)
        pipeline.fusion = fusion

    def _fill(self, train: _Parts, parts: Sequence[int], note: str) -> tuple[BankSet, dict[str, Provenance]]:
        """Banks from some of the training parts. note: told beside the progress."""
        banks: dict[str, NormalisedBank] = {}
        provenance: dict[str, Provenance] = {}
        for name, recipe in self.profile.banks.items():
            banks[name], provenance[name] = self._fill_one(name, recipe, train.store, parts, note)
        return BankSet(banks, self.profile.blur, self.profile.preparation.size), provenance

    def _fill_one(
        self, name: str, recipe: BankRecipe, store: FeatureStore, parts: Sequence[int], note: str
    ) -> tuple[NormalisedBank, Provenance]:
        rows = store.rows(name, parts)
        cells = store.shape(name)[0] ** 2
        normaliser = _normaliser(recipe, rows, cells)
        keep = max(1, int(recipe.coreset * len(rows)))
        stage = f"{name} coreset{note}"
        projected = project(
            _normalised(rows, normaliser, cells), eps=self.profile.coreset_eps, seed=self.seed
        )
        chosen = greedy(
            projected,
            keep,
            device=self.device,
            progress=lambda done, total: self.progress(stage, done, total),
        )
        bank = MemoryBank(normaliser(np.ascontiguousarray(rows[chosen])), device=self.device)
        numbers = np.asarray(parts)[chosen // cells]
        origin = Provenance(part=numbers.astype(np.int32), cell=(chosen % cells).astype(np.int32))
        return NormalisedBank(bank, normaliser, recipe.reweighting), origin

    def _held_out_scores(self, banks: BankSet, train: _Parts, held_out: _Parts) -> list[PartScores]:
        """Scores of good parts by banks that hold none of their patches."""
        if held_out.names:
            return [banks.score(held_out.store.features(i)) for i in range(len(held_out.names))]
        count = len(train.names)
        folds = min(self.profile.folds, count)
        scores: dict[int, PartScores] = {}
        for fold in range(folds):
            inside = [part for part in range(count) if part % folds != fold]
            fold_banks, _ = self._fill(train, inside, f", fold {fold + 1} of {folds}")
            for part in range(fold, count, folds):
                scores[part] = fold_banks.score(train.store.features(part))
        return [scores[part] for part in range(count)]

    def _fit_decision(self, scores: Sequence[PartScores]) -> Decision:
        names = tuple(self.profile.banks)
        image = np.array([[part.image_scores[name] for name in names] for part in scores])
        maps = (np.stack([part.maps[name] for name in names], axis=-1) for part in scores)
        return decisions.fit(self.profile.decision, names, image, maps)

    def _facts(self, train: _Parts, banks: BankSet) -> dict[str, BankFacts]:
        facts = {}
        for name, bank in banks.banks.items():
            side, width = train.store.shape(name)
            facts[name] = BankFacts(
                side=side, dimension=width, seen=len(train.names) * side * side, rows=len(bank.bank)
            )
        return facts


def _normaliser(recipe: BankRecipe, rows: NDArray[np.float32], step: int) -> Normaliser:
    if recipe.normalisation == "none":
        return Normaliser()
    chunks = (rows[start : start + step] for start in range(0, len(rows), step))
    return Normaliser.fit(chunks, per_channel=recipe.normalisation == "channel")


def _normalised(rows: NDArray[np.float32], normaliser: Normaliser, step: int) -> NDArray[np.float32]:
    if normaliser == Normaliser():
        return rows
    return np.concatenate([normaliser(rows[start : start + step]) for start in range(0, len(rows), step)])


def _check(staged: Path) -> None:
    problems = verify_files(staged)
    if problems:
        raise BadBank(f"the new version did not survive writing: {'; '.join(problems)}")
