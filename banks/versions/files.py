"""The files of one version: written into a staged directory, and checked and loaded from a version's
directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from banks.columns import Columns
from banks.decision import rules as decisions
from banks.decision.verdict import Decision
from banks.methods.column_files import ColumnFiles
from banks.methods.method import Method
from banks.methods.registry import UnknownMethod, find_method
from banks.pipeline import Pipeline, PipelineMaker, make_pipeline
from banks.versions.manifest import Manifest
from banks.versions.probe import PROBE, Probe, from_bytes, to_bytes
from banks.versions.store import BadBank, verify_files
from models.atomic_file import replacing, write_atomically
from models.digest import sha256_of
from models.fusion.fusion import Fusion
from models.fusion.registry import FUSIONS
from models.preparation.roi import Roi, from_png
from models.sample import BadSample
from models.weights.store import BadWeights, WeightStore

FUSION = "fusion.safetensors"
ROI = "roi.png"


def write_files(
    folder: Path, columns: Columns, fusion: Fusion | None, probe: Probe | None, roi: Roi | None
) -> dict[str, str]:
    """Write everything but the manifest into a staged directory; returns the sha256 of each file by name."""
    if probe is not None:
        write_atomically(folder / PROBE, to_bytes(probe.prepared))
    if roi is not None:
        write_atomically(folder / ROI, roi.to_png())
    for name, column in columns.columns.items():
        column.save(ColumnFiles(folder, name))
    if fusion is not None and fusion.state():
        kept = {name: tensor.contiguous().cpu() for name, tensor in fusion.state().items()}
        with replacing(folder / FUSION) as file:
            save_file(kept, file)
    return {file.name: sha256_of(file) for file in sorted(folder.iterdir()) if file.is_file()}


def load_version(
    folder: Path, *, device: str, weights_dir: Path, make_pipeline: PipelineMaker = make_pipeline
) -> tuple[Manifest, Pipeline, Columns, Decision]:
    """Check and load a version directory.

    Raises BadBank, which names every file that is not as it was built and every network that has other
    weights here; MissingWeights, BadWeights.
    """
    problems = verify_files(folder, serving=True)
    if problems:
        raise BadBank(f"bank version {folder.parent.name}/{folder.name} is damaged: {'; '.join(problems)}")
    manifest = Manifest.read(folder)
    try:
        decision = decisions.from_json(manifest.decision)
    except (LookupError, TypeError, ValueError) as error:
        what = f"bank version {folder.parent.name}/{folder.name}"
        raise BadBank(
            f"{what} is damaged: manifest.json: its decision is not understood ({error})"
        ) from error
    profile = manifest.profile
    try:
        methods = {name: find_method(recipe.method) for name, recipe in profile.banks.items()}
    except UnknownMethod as error:
        raise BadBank(
            f"bank version {folder.parent.name}/{folder.name} cannot be served: {error} "
            "Use the Tribank that built it, or build it again."
        ) from error
    columns: dict[str, Method] = {}
    for name, method in methods.items():
        with _understood(folder, f"the files of {name}"):
            column = method.load(ColumnFiles(folder, name), name, profile, device, WeightStore(weights_dir))
        columns[name] = column
        if not _origins_fit(column, manifest):
            raise BadBank(
                f"bank version {folder.parent.name}/{folder.name} is damaged: the rows of {name} come from "
                "parts or places that there are not"
            )
    pipeline = make_pipeline(profile, weights_dir, device)
    if manifest.measured is not None:
        pipeline = replace(pipeline, pitch=manifest.measured.pitch)
    others = other_weights(manifest.weights, pipeline.extractor.weights)
    if others:
        raise BadBank(
            f"bank version {folder.parent.name}/{folder.name} cannot be served: {'; '.join(others)}"
        )
    if "fused" in profile.banks and profile.extraction.fusion is not None:
        with _understood(folder, "the tensors of the fusion"):
            state = load_file(folder / FUSION, device=device) if (folder / FUSION).exists() else {}
            fusion = FUSIONS[profile.extraction.fusion].from_state(state, device)
        pipeline = replace(pipeline, fusion=fusion)
    pipeline = replace(pipeline, roi=load_roi(folder, manifest))
    return manifest, pipeline, Columns.of(profile, columns), decision


@contextmanager
def _understood(folder: Path, what: str) -> Iterator[None]:
    """Turn the errors of files that another program wrote into BadBank. what: the files, for the message."""
    try:
        yield
    except BadWeights:
        raise
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        name = f"{folder.parent.name}/{folder.name}"
        raise BadBank(f"bank version {name} is damaged: {what} are not understood ({error})") from error


def _origins_fit(column: Method, manifest: Manifest) -> bool:
    """Whether each row of a column comes from a training part and a pixel that there are, or from none."""
    origin = column.provenance
    if origin is None:
        return True
    limits = (
        (origin.part, len(manifest.training_parts)),
        (origin.pixel, manifest.profile.preparation.size**2),
    )
    return all(
        numbers.dtype == np.int32
        and numbers.shape == (column.rows,)
        and numbers.min() >= -1
        and numbers.max() < limit
        for numbers, limit in limits
    )


def load_probe(folder: Path, manifest: Manifest) -> Probe | None:
    """The probe of a version that was checked; None where the version has no probe. Raises BadBank."""
    facts = manifest.probe
    if facts is None:
        return None
    try:
        return Probe(facts.part, facts.held_out, from_bytes((folder / PROBE).read_bytes()))
    except (OSError, ValueError) as error:
        raise BadBank(f"bank version {folder.parent.name}/{folder.name} is damaged: {error}") from error


def load_roi(folder: Path, manifest: Manifest) -> Roi | None:
    """The region of interest of a version that was checked; None without one. Raises BadBank."""
    if ROI not in manifest.files:
        return None
    try:
        return from_png((folder / ROI).read_bytes())
    except (OSError, BadSample) as error:
        raise BadBank(f"bank version {folder.parent.name}/{folder.name} is damaged: {error}") from error


def other_weights(built: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """The networks whose weights differ from those that a version was built with, in a sentence each.

    built, here: sha256 of the weights by name.
    """
    return [
        f"it was built with other weights of {name} (sha256 {digest[:12]}) than those here "
        f"(sha256 {here.get(name, 'none')[:12]}): bring the other weights back, or build the version again"
        for name, digest in built.items()
        if here.get(name) != digest
    ]
