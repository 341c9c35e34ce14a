"""sha256 of named tensors, by which a file of them shows that it is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch


def digest_of(tensors: Mapping[str, object]) -> str:
    """Hex sha256 of names, types, shapes and bytes of all tensors, in the order of their names.

    tensors: torch's, on the CPU.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        assert isinstance(tensor, torch.Tensor)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
