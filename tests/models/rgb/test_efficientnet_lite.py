"""Our names for the packaged weights, against the package the weights were made with."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.rgb.backbones import timm
from models.rgb.efficientnet_lite import LITE0_BLOCKS, LITE1_BLOCKS, timm_name
from models.weights.store import WeightStore, read_tensors
from recipes.backbones import BACKBONES


def test_names_of_every_kind() -> None:
    assert timm_name("_conv_stem.weight", LITE1_BLOCKS) == "conv_stem.weight"
    assert timm_name("_bn1.running_var", LITE1_BLOCKS) == "bn2.running_var"
    assert timm_name("_blocks.0._project_conv.weight", LITE1_BLOCKS) == "blocks.0.0.conv_pw.weight"
    assert timm_name("_blocks.3._bn0.weight", LITE1_BLOCKS) == "blocks.1.2.bn1.weight"
    assert timm_name("_blocks.3._bn0.weight", LITE0_BLOCKS) == "blocks.2.0.bn1.weight"


@pytest.mark.parametrize("name", ["_blocks.99._bn0.weight", "_blocks.0._expand_conv.weight", "stem.weight"])
def test_a_name_the_network_does_not_have(name: str) -> None:
    with pytest.raises(KeyError):
        timm_name(name, LITE0_BLOCKS)


@pytest.mark.parametrize(
    ("name", "blocks"), [("efficientnet_lite0", LITE0_BLOCKS), ("efficientnet_lite1", LITE1_BLOCKS)]
)
def test_feature_maps_equal_the_original_package(name: str, blocks: tuple[int, ...]) -> None:
    original_package = pytest.importorskip("efficientnet_lite_pytorch")
    store = WeightStore()
    path = store.find(name)
    assert path is not None
    size = original_package.EfficientNet.get_image_size(name.replace("_", "-"))
    original = original_package.EfficientNet.from_name(name.replace("_", "-")).eval()
    original.load_state_dict(read_tensors(path))
    ours: Any = timm.create_model(BACKBONES[name].model).eval()
    ours.load_state_dict(store.load(name))
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        maps = ours.forward_intermediates(image, indices=(2, 3), intermediates_only=True)
        plane, expected = original._swish(original._bn0(original._conv_stem(image))), {}
        for index, block in enumerate(original._blocks):
            expected[index] = plane = block(plane)
    last = [sum(blocks[: stage + 1]) - 1 for stage in (2, 4)]
    for ours_map, index in zip(maps, last, strict=True):
        torch.testing.assert_close(ours_map, expected[index], atol=1e-4, rtol=1e-5)
