"""The files of one bank version: writing them into a staged directory, and loading them back checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from banks.bank_set import BankSet, NormalisedBank
from banks.decision import rules as decisions
from banks.decision.verdict import Decision
from banks.methods.memory_bank.bank import MemoryBank, Normaliser
from banks.methods.memory_bank.evidence import Provenance
from banks.pipeline import Pipeline, PipelineMaker, make_pipeline
from banks.versions.manifest import Manifest
from banks.versions.probe import PROBE, Probe, from_bytes, to_bytes
from banks.versions.store import BadBank, verify_files
from models.atomic_file import replacing, write_atomically
from models.digest import sha256_of
from models.fusion.fusion import Fusion
from models.fusion.registry import FUSIONS

BANK_SUFFIX = ".faiss"
FUSION = "fusion.safetensors"
NORMALISERS = "normalisers.safetensors"
PROVENANCE = "provenance.safetensors"


def write_files(
    folder: Path,
    banks: BankSet,
    fusion: Fusion | None,
    provenance: Mapping[str, Provenance],
    probe: Probe | None,
) -> dict[str, str]:
    """Write everything but the manifest; returns the sha256 of each file by name."""
    if probe is not None:
        write_atomically(folder / PROBE, to_bytes(probe.prepared))
    for name, bank in banks.banks.items():
        (folder / f"{name}{BANK_SUFFIX}").write_bytes(bank.bank.to_bytes())
    normalisers = {
        f"{name}.{part}": torch.tensor(getattr(bank.normaliser, part), dtype=torch.float64)
        for name, bank in banks.banks.items()
        for part in ("mean", "std")
    }
    with replacing(folder / NORMALISERS) as file:
        save_file(normalisers, file)
    if fusion is not None and fusion.state():
        kept = {name: tensor.contiguous().cpu() for name, tensor in fusion.state().items()}
        with replacing(folder / FUSION) as file:
            save_file(kept, file)
    origins = {
        f"{name}.{what}": torch.from_numpy(getattr(origin, what))
        for name, origin in provenance.items()
        for what in ("part", "cell", "pixel")
    }
    with replacing(folder / PROVENANCE) as file:
        save_file(origins, file)
    return {file.name: sha256_of(file) for file in sorted(folder.iterdir()) if file.is_file()}


def load_version(
    folder: Path, *, device: str, weights_dir: Path, make_pipeline: PipelineMaker = make_pipeline
) -> tuple[Manifest, Pipeline, BankSet, Decision]:
    """Load a version directory.

    Raises BadBank, naming each file that is not as it was built and each network whose weights here are
    others; MissingWeights, BadWeights.
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
    tensors = load_file(folder / NORMALISERS)
    banks = {
        name: NormalisedBank(
            bank=MemoryBank.from_bytes((folder / f"{name}{BANK_SUFFIX}").read_bytes(), device=device),
            normaliser=Normaliser(
                tuple(tensors[f"{name}.mean"].tolist()), tuple(tensors[f"{name}.std"].tolist())
            ),
            reweighting=recipe.reweighting,
        )
        for name, recipe in profile.banks.items()
    }
    pipeline = make_pipeline(profile, weights_dir, device)
    others = other_weights(manifest.weights, pipeline.extractor.weights)
    if others:
        raise BadBank(
            f"bank version {folder.parent.name}/{folder.name} cannot be served: {'; '.join(others)}"
        )
    if "fused" in profile.banks and profile.extraction.fusion is not None:
        state = load_file(folder / FUSION, device=device) if (folder / FUSION).exists() else {}
        pipeline.fusion = FUSIONS[profile.extraction.fusion].from_state(state, device)
    bank_set = BankSet(banks, profile.blur, profile.preparation.size, profile.place_sigma)
    return manifest, pipeline, bank_set, decision


def load_probe(folder: Path, manifest: Manifest) -> Probe | None:
    """The probe of a version; None where it has none. Check the version first. Raises BadBank."""
    facts = manifest.probe
    if facts is None:
        return None
    try:
        return Probe(facts.part, facts.held_out, from_bytes((folder / PROBE).read_bytes()))
    except (OSError, ValueError) as error:
        raise BadBank(f"bank version {folder.parent.name}/{folder.name} is damaged: {error}") from error


def other_weights(built: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """The networks whose weights are not those that a version was built with, in a sentence each.

    built, here: sha256 by name.
    """
    return [
        f"it was built with other weights of {name} (sha256 {digest[:12]}) than those here "
        f"(sha256 {here.get(name, 'none')[:12]}): bring those back, or build it again"
        for name, digest in built.items()
        if here.get(name) != digest
    ]


def load_provenance(folder: Path) -> dict[str, Provenance]:
    """Where the rows of each bank came from, by bank name. Check the version first."""
    tensors = {name: tensor.numpy() for name, tensor in load_file(folder / PROVENANCE).items()}
    banks = {name.partition(".")[0] for name in tensors}
    return {
        bank: Provenance(tensors[f"{bank}.part"], tensors[f"{bank}.cell"], tensors[f"{bank}.pixel"])
        for bank in banks
    }
