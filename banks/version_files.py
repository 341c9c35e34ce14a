"""The files of one bank version: writing them into a staged directory, and loading them back checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from banks import decision as decisions
from banks.bank_set import BankSet, NormalisedBank
from banks.decision import Decision
from banks.manifest import Manifest
from banks.memory_bank import MemoryBank, Normaliser
from banks.pipeline import Pipeline, PipelineMaker, make_pipeline
from banks.store import BadBank, verify_files
from models.digest import sha256_of
from models.fusion import LOADERS, Fusion

FUSION = "fusion.safetensors"
NORMALISERS = "normalisers.safetensors"
PROVENANCE = "provenance.safetensors"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where each row of a bank came from, -1 for a row that came from no part.

    part: (rows,) int32 index into the manifest's training parts. cell: (rows,) int32 patch of that part.
    pixel: (rows,) int32, row-major, that lies at the patch's centre in the prepared part.
    """

    part: NDArray[np.int32]
    cell: NDArray[np.int32]
    pixel: NDArray[np.int32]


def write_files(
    folder: Path, banks: BankSet, fusion: Fusion | None, provenance: Mapping[str, Provenance]
) -> dict[str, str]:
    """Write everything but the manifest; returns the sha256 of each file by name."""
    for name, bank in banks.banks.items():
        (folder / f"{name}.faiss").write_bytes(bank.bank.to_bytes())
    normalisers = {
        f"{name}.{part}": torch.tensor(getattr(bank.normaliser, part), dtype=torch.float64)
        for name, bank in banks.banks.items()
        for part in ("mean", "std")
    }
    save_file(normalisers, folder / NORMALISERS)
    if fusion is not None and fusion.state():
        kept = {name: tensor.contiguous().cpu() for name, tensor in fusion.state().items()}
        save_file(kept, folder / FUSION)
    origins = {
        f"{name}.{what}": torch.from_numpy(getattr(origin, what))
        for name, origin in provenance.items()
        for what in ("part", "cell", "pixel")
    }
    save_file(origins, folder / PROVENANCE)
    return {file.name: sha256_of(file) for file in sorted(folder.iterdir())}


def load_version(
    folder: Path, *, device: str, weights_dir: Path, make_pipeline: PipelineMaker = make_pipeline
) -> tuple[Manifest, Pipeline, BankSet, Decision]:
    """Load a version directory. Raises BadBank, naming each file that is not as it was built."""
    problems = verify_files(folder)
    if problems:
        raise BadBank(f"bank version {folder.parent.name}/{folder.name} is damaged: {'; '.join(problems)}")
    manifest = Manifest.read(folder)
    profile = manifest.profile
    tensors = load_file(folder / NORMALISERS)
    banks = {
        name: NormalisedBank(
            bank=MemoryBank.from_bytes((folder / f"{name}.faiss").read_bytes(), device=device),
            normaliser=Normaliser(
                tuple(tensors[f"{name}.mean"].tolist()), tuple(tensors[f"{name}.std"].tolist())
            ),
            reweighting=recipe.reweighting,
        )
        for name, recipe in profile.banks.items()
    }
    pipeline = make_pipeline(profile, weights_dir, device)
    if "fused" in profile.banks and profile.extraction.fusion is not None:
        state = load_file(folder / FUSION, device=device) if (folder / FUSION).exists() else {}
        pipeline.fusion = LOADERS[profile.extraction.fusion](state, device)
    bank_set = BankSet(banks, profile.blur, profile.preparation.size)
    return manifest, pipeline, bank_set, decisions.from_json(manifest.decision)
