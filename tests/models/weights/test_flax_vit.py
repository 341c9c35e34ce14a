"""AugReg files, against timm's own reader of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.rgb.backbones import timm
from models.weights.flax_vit import timm_state
from models.weights.store import read_tensors

WIDTH, HEADS = 48, 3


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """A two-block network of the official layout, filled with noise."""
    block = "Transformer/encoderblock_{}/"
    attention = block + "MultiHeadDotProductAttention_1/"
    shapes: dict[str, tuple[int, ...]] = {
        "cls": (1, 1, WIDTH),
        "embedding/kernel": (8, 8, 3, WIDTH),
        "embedding/bias": (WIDTH,),
        "Transformer/posembed_input/pos_embedding": (1, 17, WIDTH),
        "Transformer/encoder_norm/scale": (WIDTH,),
        "Transformer/encoder_norm/bias": (WIDTH,),
        "head/kernel": (WIDTH, 5),
        "head/bias": (5,),
    }
    for number in (0, 1):
        for part in ("query", "key", "value"):
            shapes[f"{attention.format(number)}{part}/kernel"] = (WIDTH, HEADS, WIDTH // HEADS)
            shapes[f"{attention.format(number)}{part}/bias"] = (HEADS, WIDTH // HEADS)
        shapes[attention.format(number) + "out/kernel"] = (HEADS, WIDTH // HEADS, WIDTH)
        shapes[attention.format(number) + "out/bias"] = (WIDTH,)
        for norm in ("LayerNorm_0", "LayerNorm_2"):
            shapes[block.format(number) + norm + "/scale"] = (WIDTH,)
            shapes[block.format(number) + norm + "/bias"] = (WIDTH,)
        for layer, (inside, outside) in enumerate([(WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH)]):
            shapes[f"{block.format(number)}MlpBlock_3/Dense_{layer}/kernel"] = (inside, outside)
            shapes[f"{block.format(number)}MlpBlock_3/Dense_{layer}/bias"] = (outside,)
    noise = np.random.default_rng(3)
    return {name: noise.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def test_equals_timms_reader(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    network: Any = timm.models.vision_transformer.VisionTransformer(
        img_size=32, patch_size=8, embed_dim=WIDTH, depth=2, num_heads=HEADS, num_classes=5
    )
    network.load_pretrained(path)
    expected, ours = network.state_dict(), read_tensors(path)
    assert set(ours) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(ours[name], tensor, atol=0, rtol=0)


def test_an_unknown_array_keeps_its_name(arrays: dict[str, np.ndarray]) -> None:
    """So that the check against the network can name it."""
    state = timm_state({**arrays, "Transformer/encoderblock_1/Extra/kernel": np.zeros(2, np.float32)})
    assert "blocks.1.Extra/kernel" in state
