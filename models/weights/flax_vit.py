"""Convert tensors of the AugReg vision transformers (Google's .npz files) to timm's names and layout.

timm's own loader fills an allocated network and skips tensors silently. This module gives named tensors, so
that a file can be recognised and an error can name its missing and unexpected tensors.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

_PLAIN = {
    "embedding/bias": "patch_embed.proj.bias",
    "cls": "cls_token",
    "Transformer/posembed_input/pos_embedding": "pos_embed",
    "Transformer/encoder_norm/scale": "norm.weight",
    "Transformer/encoder_norm/bias": "norm.bias",
    "head/bias": "head.bias",
}
_BLOCK = {
    "LayerNorm_0/scale": "norm1.weight",
    "LayerNorm_0/bias": "norm1.bias",
    "LayerNorm_2/scale": "norm2.weight",
    "LayerNorm_2/bias": "norm2.bias",
    "MlpBlock_3/Dense_0/bias": "mlp.fc1.bias",
    "MlpBlock_3/Dense_1/bias": "mlp.fc2.bias",
    "MultiHeadDotProductAttention_1/out/bias": "attn.proj.bias",
}
_BLOCK_TRANSPOSED = {
    "MlpBlock_3/Dense_0/kernel": "mlp.fc1.weight",
    "MlpBlock_3/Dense_1/kernel": "mlp.fc2.weight",
}
_ATTENTION = "MultiHeadDotProductAttention_1"
_PREFIX = "Transformer/encoderblock_"


def timm_state(arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, torch.Tensor]:
    """Make a timm state dict from an AugReg file's arrays.

    Unknown names stay unchanged, so that the check against the network reports them. AugReg kernels are
    (in, out), timm's are (out, in). AugReg's patch kernel is (height, width, in, out). AugReg's attention
    kernels have an axis for the heads, and query, key and value are separate.
    """
    state: dict[str, torch.Tensor] = {}
    for name, array in arrays.items():
        if name.startswith(_PREFIX):
            continue
        if name == "embedding/kernel":
            state["patch_embed.proj.weight"] = _tensor(array.transpose(3, 2, 0, 1))
        elif name == "head/kernel":
            state["head.weight"] = _tensor(array.T)
        else:
            state[_PLAIN.get(name, name)] = _tensor(array)
    numbers = {name.removeprefix(_PREFIX).split("/")[0] for name in arrays if name.startswith(_PREFIX)}
    for number in sorted(numbers, key=int):
        start = f"{_PREFIX}{number}/"
        block = {name.removeprefix(start): value for name, value in arrays.items() if name.startswith(start)}
        state |= {f"blocks.{number}.{name}": value for name, value in _block(block).items()}
    return state


def _block(arrays: dict[str, NDArray[np.float32]]) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = {}
    for kind, name in (("kernel", "weight"), ("bias", "bias")):
        keys = [f"{_ATTENTION}/{part}/{kind}" for part in ("query", "key", "value")]
        if all(key in arrays for key in keys):
            parts = [arrays.pop(key) for key in keys]
            rows = [part.reshape(len(part), -1).T if kind == "kernel" else part.ravel() for part in parts]
            state[f"attn.qkv.{name}"] = _tensor(np.concatenate(rows))
    for name, array in arrays.items():
        if name == f"{_ATTENTION}/out/kernel":
            state["attn.proj.weight"] = _tensor(array.reshape(-1, array.shape[-1]).T)
        elif name in _BLOCK_TRANSPOSED:
            state[_BLOCK_TRANSPOSED[name]] = _tensor(array.T)
        else:
            state[_BLOCK.get(name, name)] = _tensor(array)
    return state


def _tensor(array: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
