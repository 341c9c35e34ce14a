"""Our names for the packaged weights, against the package the weights were made with."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.rgb.backbones import timm
from models.rgb.efficientnet import B5_BLOCKS, LITE0_BLOCKS, LITE1_BLOCKS, timm_name
from models.weights.catalogue import official_weights
from models.weights.store import WeightStore, read_tensors
from recipes.backbones import BACKBONES


def test_names_of_every_kind() -> None:
    assert timm_name("_conv_stem.weight", LITE1_BLOCKS) == "conv_stem.weight"
    assert timm_name("_bn1.running_var", LITE1_BLOCKS) == "bn2.running_var"
    assert timm_name("_blocks.0._project_conv.weight", LITE1_BLOCKS) == "blocks.0.0.conv_pw.weight"
    assert timm_name("_blocks.3._bn0.weight", LITE1_BLOCKS) == "blocks.1.2.bn1.weight"
    assert timm_name("_blocks.3._bn0.weight", LITE0_BLOCKS) == "blocks.2.0.bn1.weight"


def test_the_names_of_b5_are_those_of_timm_s_network() -> None:
    found = {timm_name(f"{layer}.weight", B5_BLOCKS) for layer in ("_conv_stem", "_conv_head", "_fc")}
    found |= {timm_name(f"{norm}.{part}", B5_BLOCKS) for norm in ("_bn0", "_bn1") for part in NORM}
    found |= {timm_name("_fc.bias", B5_BLOCKS)}
    for number in range(sum(B5_BLOCKS)):
        expands = number >= B5_BLOCKS[0]
        layers = ["_depthwise_conv", "_project_conv", "_se_reduce", "_se_expand"]
        layers += ["_expand_conv"] if expands else []
        norms = ["_bn1", "_bn2", *(["_bn0"] if expands else [])]
        inner = [f"{layer}.weight" for layer in layers]
        inner += ["_se_reduce.bias", "_se_expand.bias"]
        inner += [f"{norm}.{part}" for norm in norms for part in NORM]
        found |= {timm_name(f"_blocks.{number}.{name}", B5_BLOCKS) for name in inner}
    assert found == set(official_weights("efficientnet_b5").shapes())


NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


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
