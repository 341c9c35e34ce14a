"""The offline builder: good parts in, one published bank version out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.bank_set import BankSet, NormalisedBank
from banks.decision import rules as decisions
from banks.decision.calibration import calibrate
from banks.decision.good_scores import GoodScores
from banks.decision.part_scores import PartScores
from banks.methods.memory_bank.bank import MemoryBank, Normaliser
from banks.methods.memory_bank.coreset import greedy, project
from banks.methods.memory_bank.evidence import Provenance
from banks.pipeline import Pipeline, PipelineMaker, make_pipeline
from banks.versions.feature_store import FeatureStore, StoredRows
from banks.versions.files import load_probe, write_files
from banks.versions.good_parts import GoodParts
from banks.versions.manifest import BankFacts, Manifest, library_versions, now
from banks.versions.probe import Probe, mirrored, scores_of, slimmed
from banks.versions.progress import Progress, silent
from banks.versions.store import BadBank, BankStore, verify_files
from models.digest import sha256_of
from models.fusion.fusion import FusionTask
from models.fusion.registry import FUSIONS
from models.readers.product_folder import PartFile, ProductFolder, Split
from models.sample import BadSample, Modality
from models.weights.folder import DEFAULT_WEIGHTS
from models.weights.store import WeightStore
from recipes.banks import Normalisation
from recipes.profile import Profile

MIN_PARTS = 2
PARTS = "parts"
"""Where a version keeps the features of its good parts, by split."""
_STAGES: Mapping[Split, str] = {"train": "training parts", "validation": "validation parts"}
_TRAINING = "fusion training"
_HELD_OUT = "held-out parts"
_MOST_SKIPPED = 0.1  # a folder with more unusable parts than this is a mistake, not bad luck


class BuildError(ValueError):
    """The good parts cannot make a bank; the message says what to do."""


@dataclass
class Builder:
    """Builds versions of one profile.

    seed: of the random projections; the only chance in a build. weights_dir: where the networks' weights lie.
    keep_parts: whether versions keep the features of their good parts, so that they can be extended.
    """

    profile: Profile
    store: BankStore
    seed: int = 0
    device: str = "cpu"
    weights_dir: Path = DEFAULT_WEIGHTS
    progress: Progress = silent
    make_pipeline: PipelineMaker = make_pipeline
    keep_parts: bool = True

    @classmethod
    def like(cls, store: BankStore, product: str, version: str | None = None, **others: Any) -> Builder:
        """A builder with the profile and the seed of a version (default: the active one). others: its other
        fields. Raises BankNotFound, BadBank."""
        path = store.path(product, version)
        try:
            manifest = Manifest.read(path)
        except (OSError, ValueError) as error:
            raise BadBank(f"bank version {product}/{path.name} cannot be read: {error}") from error
        return cls(manifest.profile, store, manifest.seed, **others)

    def build(
        self, product: str, folder: ProductFolder, *, extends: str | None = None, activate: bool = True
    ) -> str:
        """Build, check and publish a version; returns its name.

        extends: a version of the product whose parts come first, as if they were in the folder. It must have
        been built with this profile and seed and the same weights, and have kept its parts.

        Raises BuildError where the parts cannot make a bank, BankNotFound for an impossible product name or
        an unknown version, BadBank where that version is damaged, MissingWeights where a network's weights
        are absent.
        """
        pipeline = self.make_pipeline(self.profile, self.weights_dir, self.device)
        before = None if extends is None else self._extended(product, extends, pipeline)
        old, odd = (None, ()) if before is None else (before[0] / PARTS, before[1].without_plane)
        with self.store.building(product) as scratch:
            staged = scratch / "version"
            staged.mkdir()
            parts = (staged if self.keep_parts else scratch) / PARTS
            train = self._gather("train", folder.train, pipeline, parts, old)
            held_out = self._gather("validation", folder.validation, pipeline, parts, old)
            if len(train) < MIN_PARTS:
                raise BuildError(f"{len(train)} usable good parts: a bank needs at least {MIN_PARTS}.")
            self._fuse(pipeline, train, held_out, scratch / "fusion")
            banks, provenance = self._fill(train)
            left_out = self._left_out(train, held_out)
            scores = self._held_out_scores(banks, provenance, train, held_out, left_out)
            masks = [*held_out.valid, *(train.valid[part] for part in left_out)]
            good = GoodScores(tuple(self.profile.banks), self._fit_scores(banks, train, scores))
            decision = decisions.fit(self.profile.decision, good)
            verdicts = [decision.judge(part) for part in scores]
            calibration = calibrate(
                [verdict.score for verdict in verdicts],
                np.stack([verdict.map for verdict in verdicts]),
                np.stack(masks),
                self.profile.false_reject_rate,
            )
            probe = _probe_of(train, held_out, before and load_probe(*before), pipeline.extractor.needs)
            files = write_files(staged, banks, pipeline.fusion, provenance, probe)
            for split in (train, held_out):
                split.save()
            Manifest(
                product=product,
                created=now(),
                profile=self.profile,
                seed=self.seed,
                device=self.device,
                training_parts=tuple(train.names),
                skipped_parts=train.skipped | held_out.skipped,
                without_plane=(*odd, *train.without_plane, *held_out.without_plane),
                banks=self._facts(train, banks),
                decision=decision.to_json(),
                calibration=calibration,
                weights=dict(pipeline.extractor.weights),
                files=files,
                kept=_digests(staged, PARTS),
                libraries=library_versions(),
                probe=probe and probe.facts(*scores_of(probe.prepared, pipeline, banks, decision)),
            ).write(staged)
            return self.store.publish(product, staged, check=_check, activate=activate)

    def stages(self, folder: ProductFolder) -> list[str]:
        """What `progress` will be told of in a build of that folder, in order. A stage may turn out to have
        nothing to do, and is not told then."""
        trained = "fused" in self.profile.banks and self.profile.extraction.fusion == "uff_trained"
        return [
            _STAGES["train"],
            *([_STAGES["validation"]] if folder.validation else []),
            *([_TRAINING] if trained else []),
            *map(_choosing, self.profile.banks),
            _HELD_OUT,
        ]

    def _extended(self, product: str, version: str, pipeline: Pipeline) -> tuple[Path, Manifest]:
        """The folder and the manifest of a version that is extended."""
        path = self.store.path(product, version)
        _check(path)
        manifest = Manifest.read(path)
        if not manifest.kept:
            raise BuildError(f"Version {version} did not keep its parts. Build a new one from all of them.")
        if (manifest.profile, manifest.seed) != (self.profile, self.seed):
            raise BuildError(f"Version {version} was built with another profile or seed.")
        if manifest.weights != dict(pipeline.extractor.weights):
            raise BuildError(f"Version {version} was built with other weights than those here.")
        return path, manifest

    def _gather(
        self, split: Split, parts: Sequence[PartFile], pipeline: Pipeline, folder: Path, old: Path | None
    ) -> GoodParts:
        """The old parts of a split and the new ones, which are extracted."""
        place = folder / split
        found = GoodParts(FeatureStore(place)) if old is None else GoodParts.copied(old / split, place)
        stage = _STAGES[split]
        for number, part in enumerate(parts, start=1):
            try:
                prepared, features, _ = pipeline(part.read())
            except BadSample as error:
                found.skipped[part.name] = str(error)
            else:
                found.add(part.name, features, prepared)
            self.progress(stage, number, len(parts))
        if len(found.skipped) > max(1, _MOST_SKIPPED * len(parts)):
            name, reason = next(iter(found.skipped.items()))
            raise BuildError(f"{len(found.skipped)} of {len(parts)} {stage} cannot be used. {name}: {reason}")
        return found

    def _fuse(self, pipeline: Pipeline, train: GoodParts, held_out: GoodParts, folder: Path) -> None:
        """Fit the fusion on the training parts and add its patches to both splits."""
        kind = self.profile.extraction.fusion
        if kind is None or "fused" not in self.profile.banks:
            return
        task = FusionTask(
            pairs=train.store.pairs(),
            folder=folder,
            weights=WeightStore(self.weights_dir),
            training=self.profile.extraction.training,
            device=self.device,
            progress=lambda done, total, loss: self.progress(_TRAINING, done, total, f"loss {loss:.3f}"),
        )
        fusion = FUSIONS[kind].fit(task)
        for name, split in (("train", train), ("validation", held_out)):
            fused = (fusion(rgb, point) for rgb, point in split.store.pairs())
            split.store.add_bank("fused", fused, folder / name)
        pipeline.fusion = fusion

    def _fill(self, train: GoodParts) -> tuple[BankSet, dict[str, Provenance]]:
        """The banks, and where their rows come from."""
        parts = range(len(train.names))
        banks: dict[str, NormalisedBank] = {}
        provenance: dict[str, Provenance] = {}
        normalisers = self._normalisers(train.store, parts)
        sizes = self.profile.kept({name: train.store.count(name, parts) for name in self.profile.banks})
        size = self.profile.preparation.size
        for name, recipe in self.profile.banks.items():
            rows = train.store.rows(name, parts, normalisers[name])
            chosen = self._coreset(_choosing(name), rows, sizes[name])
            kept = rows[chosen]
            origin = rows.origin(chosen, size)
            if self.profile.zero_row and name == "point":
                kept = np.concatenate([kept, np.zeros_like(kept[:1])])
                origin = np.pad(origin, ((0, 0), (0, 1)), constant_values=-1)
            bank = MemoryBank(kept, device=self.device, precision=self.profile.precision)
            banks[name] = NormalisedBank(bank, normalisers[name], recipe.reweighting)
            provenance[name] = Provenance(*origin.astype(np.int32))
        return BankSet(banks, self.profile.blur, size, self.profile.place_sigma), provenance

    def _normalisers(self, store: FeatureStore, parts: Sequence[int]) -> dict[str, Normaliser]:
        def fit(bank: str, *, per_channel: bool = False) -> Normaliser:
            return Normaliser.fit(_chunks(store, bank, parts), per_channel=per_channel)

        ways: dict[Normalisation, Callable[[str], Normaliser]] = {
            "none": lambda bank: Normaliser(),
            "own": fit,
            "channel": lambda bank: fit(bank, per_channel=True),
            "shared": lambda bank: Normaliser.shared(mean_of=fit("point"), std_of=fit("rgb")),
        }
        return {name: ways[recipe.normalisation](name) for name, recipe in self.profile.banks.items()}

    def _coreset(self, stage: str, rows: StoredRows, keep: int) -> NDArray[np.int64]:
        """Indices of the rows to keep, (n,) int64: `keep` of them, or fewer where the others are copies."""
        if keep >= len(rows):
            return np.arange(len(rows))
        return greedy(
            project(rows, eps=self.profile.coreset_eps, seed=self.seed),
            keep,
            device=self.device,
            progress=lambda done, total: self.progress(stage, done, total),
        )

    def _left_out(self, train: GoodParts, held_out: GoodParts) -> list[int]:
        """Training parts to score as if held out, evenly spread: as many as calibration still lacks."""
        wanted = min(len(train.names), max(0, self.profile.calibration_parts - len(held_out.names)))
        return [len(train.names) * place // wanted for place in range(wanted)]

    def _held_out_scores(
        self,
        banks: BankSet,
        provenance: Mapping[str, Provenance],
        train: GoodParts,
        held_out: GoodParts,
        left_out: Sequence[int],
    ) -> list[PartScores]:
        """Scores of good parts by banks that hold none of their patches: the validation parts, then the
        left-out training parts, each by the banks without the rows that came from it.

        Normalisers, fusion and the choice of rows did see a left-out part, and its neighbours in the library
        may have given way to it: its scores lie a little high.
        """
        total = len(held_out.names) + len(left_out)
        scores: list[PartScores] = []
        for part in range(len(held_out.names)):
            scores.append(banks.score(held_out.store.features(part)))
            self.progress(_HELD_OUT, len(scores), total)
        for part in left_out:
            scores.append(self._without(part, banks, provenance).score(train.store.features(part)))
            self.progress(_HELD_OUT, len(scores), total)
        return scores

    def _without(self, part: int, banks: BankSet, provenance: Mapping[str, Provenance]) -> BankSet:
        """The banks without the rows of one training part. A bank that has no others stays as it is."""
        others: dict[str, NormalisedBank] = {}
        for name, bank in banks.banks.items():
            kept = provenance[name].part != part
            rows = bank.bank.rows[kept] if kept.any() else bank.bank.rows
            smaller = MemoryBank(rows, device=self.device, precision=self.profile.precision)
            others[name] = replace(bank, bank=smaller)
        return replace(banks, banks=others)

    def _fit_scores(
        self, banks: BankSet, train: GoodParts, held_out: Sequence[PartScores]
    ) -> Sequence[PartScores]:
        """The scores that the decision is fitted on."""
        if self.profile.decision_fit == "held-out":
            return held_out
        return [banks.score(train.store.features(part)) for part in range(len(train.names))]

    def _facts(self, train: GoodParts, banks: BankSet) -> dict[str, BankFacts]:
        facts = {}
        for name, bank in banks.banks.items():
            facts[name] = BankFacts(
                side=train.store.layouts(name)[0].side,
                dimension=bank.bank.dimension,
                seen=train.store.count(name, range(len(train.names))),
                rows=len(bank.bank),
            )
        return facts


def _choosing(bank: str) -> str:
    """The stage that chooses a bank's rows."""
    return f"{bank} coreset"


def _chunks(store: FeatureStore, bank: str, parts: Sequence[int]) -> Iterator[NDArray[np.float32]]:
    """Patch rows of one part after another."""
    return (store.patches(bank, part).rows.numpy() for part in parts)


def _probe_of(
    train: GoodParts, held_out: GoodParts, kept: Probe | None, needs: Sequence[Modality]
) -> Probe | None:
    """The first held-out part, or where there is none, the first training part, as in a mirror.

    kept: the probe of the version that is extended, whose parts are not read again. None where that one has
    none, and no part was added.
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


def _digests(staged: Path, inside: str) -> dict[str, str]:
    """sha256 of every file below a folder of the staged directory."""
    files = sorted(file for file in (staged / inside).rglob("*") if file.is_file())
    return {file.relative_to(staged).as_posix(): sha256_of(file) for file in files}


def _check(version: Path) -> None:
    problems = verify_files(version)
    if problems:
        raise BadBank(f"bank version {version.parent.name}/{version.name} is damaged: {'; '.join(problems)}")
