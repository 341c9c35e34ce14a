"""The offline builder: good parts in, one published bank version out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from banks.columns import Columns
from banks.decision.calibration import Calibration
from banks.decision.coverage import Coverage
from banks.evenly import evenly
from banks.methods.method import FitTask, Method
from banks.methods.registry import UnknownMethod, find_method
from banks.pipeline import Pipeline, PipelineMaker, make_pipeline
from banks.versions.colour import settled_colour
from banks.versions.draft import Draft, HeldOut, wanted_parts
from banks.versions.files import load_probe, load_roi, write_files
from banks.versions.gathering import STAGES, BuildError, Gathering
from banks.versions.good_parts import GoodParts
from banks.versions.image_bits import with_image_bits
from banks.versions.manifest import Manifest, library_versions, now
from banks.versions.measuring import check_unit, measured_profile, region_of_interest
from banks.versions.probe import probe_of, scores_of
from banks.versions.progress import Progress, silent
from banks.versions.remarks import remarks
from banks.versions.reviews import all_said
from banks.versions.seal import digest_of
from banks.versions.store import BadBank, BankStore, verify_files
from models.digest import sha256_of
from models.fusion.fusion import Fusion, FusionTask
from models.fusion.registry import FUSIONS
from models.lazy_sequence import LazySequence
from models.numerics.process import decided
from models.preparation.roi import Roi
from models.readers.product_folder import ProductFolder
from models.training import with_remaining
from models.weights.folder import DEFAULT_WEIGHTS
from models.weights.store import WeightStore
from recipes.measured import Measured
from recipes.profile import Profile
from recipes.sensor import Sensor

MIN_PARTS = 2
PARTS = "parts"
"""Where a version keeps the features of its good parts, by split."""
_MEASURING = "measuring"
_TRAINING = "fusion training"
_HELD_OUT = "held-out parts"
_MOST_SET_ASIDE = 0.2  # the other parts are to fill the banks


@dataclass
class Builder:
    """Builds versions of one profile.

    store: where the versions go.
    seed: of the random projections; nothing else in a build is random.
    device: where the networks and the columns run.
    weights_dir: where the networks' weights lie.
    progress: called while each stage runs. make_pipeline: makes the pipeline of the profile.
    keep_parts: whether versions keep the features of their good parts, so that they can be extended.
    at_once: parts that are extracted side by side. The version does not depend on it.
    """

    profile: Profile
    store: BankStore
    seed: int = 0
    device: str = "cpu"
    weights_dir: Path = DEFAULT_WEIGHTS
    progress: Progress = silent
    make_pipeline: PipelineMaker = make_pipeline
    keep_parts: bool = True
    at_once: int = 1

    @classmethod
    def like(cls, store: BankStore, product: str, version: str | None = None, **others: Any) -> Builder:
        """A builder with the profile and the seed of a version.

        version: default is the active version. others: the other fields of the builder. Raises BankNotFound,
        BadBank.
        """
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

        extends: a version of the product, whose parts come first, as if they were in the folder. That version
            must have been built with this profile, this seed and the same weights, and have kept its parts.
            Its parts that a person dropped are left out; odd ones that a person called good are not odd.
        activate: whether to make the version the active one.

        Raises BuildError where the parts cannot make a bank, BankNotFound for an impossible product name or
        an unknown version, BadBank where that version is damaged, MissingWeights where a network's weights
        are absent.
        """
        before = None if extends is None else self._extended(product, extends)
        if before is None:
            builder, measured, sensor, roi = self._measured(folder)
        else:
            measured, sensor, roi = before[1].measured, before[1].sensor, load_roi(*before)
            builder = replace(self, profile=before[1].profile)
        return builder._built(product, folder, measured, sensor, roi, before, activate)

    def screen(self, folder: ProductFolder, scratch: Path) -> tuple[Calibration, dict[str, str]]:
        """Score every good part of a folder by columns without it, to find odd ones before they are learned.

        scratch: an empty folder for features. Returns the calibration on all parts, which names the odd
        parts, and the parts that could not be used, with the reason. Nothing is published. Raises BuildError
        and MissingWeights as `build` does, and BuildError for a profile with a method that cannot forget.
        """
        builder, measured, sensor, roi = self._measured(folder)
        methods = builder._methods()
        if not all(method.forgets for method in methods.values()):
            raise BuildError(f"Profile {self.profile.name} cannot leave single parts out. Screen by another.")
        pipeline = builder._pipeline(measured, roi)
        gathering = Gathering(pipeline, sensor, scratch / PARTS, None, self.progress)
        parts = gathering.split("train", (*folder.train, *folder.validation))
        builder, pipeline = builder._coloured(parts, pipeline)
        profile = builder.profile.model_copy(update={"calibration_parts": len(parts)})
        none = gathering.split("validation", ())
        builder = replace(builder, profile=profile)
        draft = builder._fitted(parts, none, pipeline, methods, scratch / "fusion", scratch / "training")
        held_out = draft.held_out(partial(self.progress, _HELD_OUT))
        _check_distances(held_out)
        decision, outside = draft.decision(held_out)
        return held_out.calibrate(decision, self.profile.false_reject_rate, outside), parts.left_out

    def _measured(self, folder: ProductFolder) -> tuple[Builder, Measured | None, Sensor, Roi | None]:
        """The builder with a number for every length; and the lengths, the sensor and the region of interest
        of the product. Raises BuildError."""
        told = partial(self.progress, _MEASURING)
        roi = region_of_interest(folder)
        sensor = with_image_bits(folder.sensor, folder.train)
        profile, measured = measured_profile(folder.train, sensor, self.profile, told, roi)
        check_unit(measured)
        return replace(self, profile=profile), measured, sensor, roi

    def _coloured(self, train: GoodParts, pipeline: Pipeline) -> tuple[Builder, Pipeline]:
        """The builder and the pipeline with a number for the factor of the plain colour."""
        factor = settled_colour(self.profile, train)
        if factor is None:
            return self, pipeline
        builder = replace(self, profile=self.profile.coloured(factor))
        made = self.make_pipeline(builder.profile, self.weights_dir, self.device)
        return builder, replace(pipeline, extractor=made.extractor)

    def _pipeline(self, measured: Measured | None, roi: Roi | None) -> Pipeline:
        """The pipeline before its fusion is fitted."""
        pipeline = self.make_pipeline(self.profile, self.weights_dir, self.device)
        return replace(pipeline, pitch=None if measured is None else measured.pitch, roi=roi)

    def _built(
        self,
        product: str,
        folder: ProductFolder,
        measured: Measured | None,
        sensor: Sensor,
        roi: Roi | None,
        before: tuple[Path, Manifest] | None,
        activate: bool,
    ) -> str:
        """Build a version by a profile without lengths that follow the product.

        Args:
            product, folder, activate: as in `build`.
            measured: the lengths of the product.
            sensor: what is declared or found about the files.
            roi: its region of interest.
            before: folder and manifest of the version that is extended.
        """
        methods = self._methods()
        pipeline = self._pipeline(measured, roi)
        if before is not None and before[1].weights != dict(pipeline.extractor.weights):
            raise BuildError(f"Version {before[0].name} was built with other weights than those here.")
        good, dropped = (set(), set()) if before is None else all_said(*before)
        odd = [] if before is None else [name for name in before[1].without_plane if name not in dropped]
        old = None if before is None else before[0] / PARTS
        with self.store.building(product) as scratch, ExitStack() as kept:
            staged = scratch / "version"
            staged.mkdir()
            parts = (staged if self.keep_parts else scratch) / PARTS
            gathering = Gathering(pipeline, sensor, parts, old, self.progress, dropped, self.at_once)
            train = gathering.split("train", folder.train)
            builder, gathering.pipeline = self._coloured(train, pipeline)
            validation = gathering.split("validation", folder.validation)
            run = builder._run((train, validation), gathering.pipeline)
            runs = kept.enter_context(self.store.training(product, run))
            draft = builder._fitted(train, validation, gathering.pipeline, methods, scratch / "fusion", runs)
            held_out = draft.held_out(partial(self.progress, _HELD_OUT))
            _check_distances(held_out)
            decision, outside = draft.decision(held_out, good)
            calibration = held_out.calibrate(decision, self.profile.false_reject_rate, outside)
            probe = probe_of(train, validation, before and load_probe(*before), pipeline.extractor.needs)
            files = write_files(staged, draft.columns, draft.pipeline.fusion, probe, roi)
            for split in (train, validation):
                split.save()
            Manifest(
                product=product,
                created=now(),
                profile=builder.profile,
                measured=measured,
                coverage=self._coverage((train, validation), calibration, before and before[1].coverage),
                seed=self.seed,
                device=self.device,
                training_parts=tuple(train.names),
                set_aside=tuple(train.names[part] for part in draft.set_aside),
                skipped_parts=train.left_out | validation.left_out,
                without_plane=(*odd, *train.without_plane, *validation.without_plane),
                called_good=tuple(sorted(good)),
                remarks=remarks((train, validation), calibration),
                banks=draft.facts(),
                decision=decision.to_json(),
                sensor=sensor,
                calibration=calibration,
                weights=dict(pipeline.extractor.weights),
                files=files,
                kept=_digests(staged, PARTS),
                libraries=library_versions(),
                numerics=asdict(decided()),
                probe=probe
                and probe.facts(*scores_of(probe.prepared, draft.pipeline, draft.columns, decision)),
            ).write(staged)
            return self.store.publish(product, staged, check=_check, activate=activate)

    def _coverage(
        self, splits: Sequence[GoodParts], calibration: Calibration, before: Coverage | None
    ) -> Coverage | None:
        """What the good parts that are not odd show. before: of the version that is extended."""
        if not self.profile.coverage:
            return None
        odd = {part.name for part in calibration.odd}
        shown = [split.shown(without=odd) for split in splits]
        new = Coverage.of(
            [area for areas, _ in shown for area in areas],
            [number for _, pieces in shown for number in pieces],
        )
        return before if new is None else new.joined(before)

    def stages(self, folder: ProductFolder) -> list[str]:
        """The progress stages of a build of that folder, in order. A stage that has nothing to do is
        skipped."""
        trained = "fused" in self.profile.banks and self.profile.extraction.fusion == "uff_trained"
        return [
            _MEASURING,
            STAGES["train"],
            *([STAGES["validation"]] if folder.validation else []),
            *([_TRAINING] if trained else []),
            *(_fitting(name, method) for name, method in self._methods().items()),
            _HELD_OUT,
        ]

    def _extended(self, product: str, version: str) -> tuple[Path, Manifest]:
        """The folder and the manifest of a version that is to be extended. Raises BuildError, BadBank."""
        path = self.store.path(product, version)
        _check(path)
        manifest = Manifest.read(path)
        if not manifest.kept:
            raise BuildError(f"Version {version} did not keep its parts. Build a new one from all of them.")
        profile = self.profile.as_built(manifest.profile)
        if (manifest.profile, manifest.seed) != (profile, self.seed):
            raise BuildError(f"Version {version} was built with another profile or seed.")
        return path, manifest

    def _methods(self) -> dict[str, type[Method]]:
        """The method of every bank."""
        try:
            return {name: find_method(recipe.method) for name, recipe in self.profile.banks.items()}
        except UnknownMethod as error:
            raise BuildError(f"Profile {self.profile.name} cannot be built. {error}") from error

    def _fitted(
        self,
        train: GoodParts,
        validation: GoodParts,
        pipeline: Pipeline,
        methods: Mapping[str, type[Method]],
        scratch: Path,
        runs: Path,
    ) -> Draft:
        """Fit the fusion and every column. scratch: for derived patches. runs: for checkpoints."""
        set_aside: Sequence[int] = ()
        if not all(method.forgets for method in methods.values()):
            set_aside = self._set_aside(train, validation)
        fitted_on = [part for part in range(len(train)) if part not in set_aside]
        if len(fitted_on) < MIN_PARTS:
            raise BuildError(_too_few(len(fitted_on), len(set_aside), train.copies))
        pipeline = replace(pipeline, fusion=self._fusion(train, validation, fitted_on, scratch, runs))
        wanted = 0 if set_aside else wanted_parts(self.profile, validation)
        left_out = evenly(len(train), min(len(train), wanted))
        columns = {
            name: method.fit(
                FitTask(
                    column=name,
                    profile=self.profile,
                    library=train.store,
                    parts=fitted_on,
                    left_out=left_out,
                    seed=self.seed,
                    device=self.device,
                    weights=WeightStore(self.weights_dir),
                    folder=runs / name,
                    progress=partial(self.progress, _fitting(name, method)),
                )
            )
            for name, method in methods.items()
        }
        fitted = Columns.of(self.profile, columns)
        return Draft(self.profile, train, validation, set_aside, left_out, pipeline, fitted)

    def _set_aside(self, train: GoodParts, validation: GoodParts) -> list[int]:
        """Training parts that nothing is fitted on: as many as calibration wants, a fifth of all at most."""
        most = max(1, int(_MOST_SET_ASIDE * len(train)))
        return evenly(len(train), min(most, wanted_parts(self.profile, validation)))

    def _run(self, splits: Sequence[GoodParts], pipeline: Pipeline) -> str:
        """The name of all that the networks depend on that a build trains."""
        facts = {
            "profile": self.profile.model_dump(mode="json"),
            "seed": self.seed,
            "device": self.device,
            "weights": dict(pipeline.extractor.weights),
            "parts": [[split.names, split.contents] for split in splits],
            "roi": None if pipeline.roi is None else pipeline.roi.to_png().hex(),
            "libraries": library_versions(),
        }
        return digest_of(json.dumps(facts, sort_keys=True))[:32]

    def _fusion(
        self, train: GoodParts, validation: GoodParts, fitted_on: Sequence[int], folder: Path, runs: Path
    ) -> Fusion | None:
        """Fit the fusion on training parts and add its patches to both splits."""
        kind = self.profile.extraction.fusion
        if kind is None or "fused" not in self.profile.banks:
            return None
        pairs = train.store.pairs()
        task = FusionTask(
            pairs=LazySequence(len(fitted_on), lambda number: pairs[fitted_on[number]]),
            folder=runs / "fusion",
            weights=WeightStore(self.weights_dir),
            training=self.profile.extraction.training,
            device=self.device,
            progress=with_remaining(partial(self.progress, _TRAINING)),
        )
        fusion = FUSIONS[kind].fit(task)
        for name, split in (("train", train), ("validation", validation)):
            fused = (fusion(rgb, point) for rgb, point in split.store.pairs())
            split.store.add_bank("fused", fused, folder / name)
        return fusion


def _check_distances(held_out: HeldOut) -> None:
    """Raise BuildError where a bank cannot tell one good part from another."""
    for bank in held_out.scores[0].findings if held_out.scores else ():
        if not any(part.findings[bank].values.any() for part in held_out.scores):
            raise BuildError(
                f"The {bank} bank sees nothing: the distances of all {len(held_out.scores)} held-out good "
                "parts are 0. Either all parts are copies of one recording, or the lengths of the profile do "
                "not fit the parts (docs/preparation.md)."
            )


def _fitting(bank: str, method: type[Method]) -> str:
    """The stage that fits a bank's column."""
    return f"{bank} {method.stage}"


def _too_few(used: int, set_aside: int, copies: Mapping[str, str]) -> str:
    """Why so few parts make no bank."""
    aside = f" beside {set_aside} that are set aside for the threshold" if set_aside else ""
    said = f"{used} usable good part{'s' if used != 1 else ''}{aside}: a bank needs at least {MIN_PARTS}."
    if copies:
        copy, first = next(iter(copies.items()))
        said += (
            f" {len(copies)} more have the image and the cloud of another part ({copy} has those of {first})."
            " Was the camera frozen?"
        )
    return said


def _digests(staged: Path, inside: str) -> dict[str, str]:
    """sha256 of every file below a folder of the staged directory."""
    files = sorted(file for file in (staged / inside).rglob("*") if file.is_file())
    return {file.relative_to(staged).as_posix(): sha256_of(file) for file in files}


def _check(version: Path) -> None:
    if problems := verify_files(version):
        raise BadBank(f"bank version {version.parent.name}/{version.name} is damaged: {'; '.join(problems)}")
