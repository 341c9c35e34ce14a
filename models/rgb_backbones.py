"""The RGB backbones that a profile can name, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

import torch

from models.torchvision_schemas import declare_torchvision_schemas

declare_torchvision_schemas()
import timm  # noqa: E402

GRID = 28
"""Patches along one edge of every RGB grid (224 / 8)."""
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Mean and standard deviation of RGB in 0..1."""
TIMM_PREFIX = "timm:"

Constants = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class RgbBackbone:
    """One backbone.

    model: timm's name, with its weights tag. kind: "tokens" takes the patch tokens after the last layer's
    norm (the first tokens, such as CLS, are dropped); "stages" takes the maps at `stages` (timm's indices).
    constants: mean and std the weights were trained with. size: default side of the square input, pixels.
    weights: name in `models.official_weights`. padded: whether the 3 x 3 averages of stages keep the map's
    size, so that patches stay where their pixels are; BTF's do not and its grid is squeezed.
    """

    name: str
    model: str
    kind: Literal["tokens", "stages"]
    constants: Constants
    size: int
    weights: str
    stages: tuple[int, ...] = ()
    padded: bool = True

    def of_stages(self, stages: Sequence[int]) -> RgbBackbone:
        """The same backbone by other maps. Raises ValueError if it has no such stages."""
        if self.kind != "stages":
            raise ValueError(f"{self.name} is a transformer: it has patch tokens and no stages to choose")
        with torch.device("meta"):
            network: Any = timm.create_model(self.model)
        count = len(network.feature_info)
        if not stages or list(stages) != sorted(set(stages)) or not 0 <= stages[0] <= stages[-1] < count:
            raise ValueError(f"{self.name} has stages 0 to {count - 1}, in that order, not {list(stages)}")
        return replace(self, stages=tuple(stages))


def _tokens(name: str, model: str, constants: Constants) -> RgbBackbone:
    return RgbBackbone(name, model, "tokens", constants, 224, name)


def _stages(name: str, model: str, constants: Constants, *, padded: bool = True) -> RgbBackbone:
    return RgbBackbone(name, model, "stages", constants, 224, name, (2, 3), padded)


BACKBONES: Mapping[str, RgbBackbone] = MappingProxyType(
    {
        backbone.name: backbone
        for backbone in (
            _stages("efficientnet_lite0", "tf_efficientnet_lite0.in1k", HALF),
            _stages("efficientnet_lite1", "tf_efficientnet_lite1.in1k", HALF),
            _tokens("dino_vitb8", "vit_base_patch8_224.dino", IMAGENET),
            _tokens("dino_vits8", "vit_small_patch8_224.dino", IMAGENET),
            _tokens("vitb8_in21k", "vit_base_patch8_224.augreg_in21k", HALF),
            # The paper's "supervised ImageNet 1K": in truth fine-tuned from 21k; its bare name means others
            # today.
            _tokens("vitb8_in21k_ft_in1k", "vit_base_patch8_224.augreg_in21k_ft_in1k", HALF),
            # The weights that timm's bare name meant when BTF was published.
            _stages("wide_resnet50_2", "wide_resnet50_2.racm_in1k", IMAGENET, padded=False),
        )
    }
)


@lru_cache(maxsize=32)
def rgb_backbone(name: str) -> RgbBackbone:
    """The backbone registered under `name`, or any timm model as "timm:<model>".

    A timm vision transformer is run at 28 times its patch size (DINOv2: 392, DINOv3: 448), so that one
    token is one patch of the grid; any other network at its own size, by its maps at strides 8 and 16.
    Raises ValueError for a name that neither knows.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    model = name.removeprefix(TIMM_PREFIX)
    if not name.startswith(TIMM_PREFIX) or not timm.is_model(model.split(".")[0]):
        known = ", ".join(BACKBONES)
        raise ValueError(f"unknown RGB backbone {name!r}: choose one of {known}, or timm:<model>")
    with torch.device("meta"):
        network: Any = timm.create_model(model)
    default = network.pretrained_cfg
    constants = (tuple(default["mean"]), tuple(default["std"]))
    if hasattr(network, "patch_embed") and hasattr(network, "num_prefix_tokens"):
        size = GRID * network.patch_embed.patch_size[0]
        return RgbBackbone(name, model, "tokens", constants, size, name)
    strides = [info["reduction"] for info in network.feature_info]
    stages = tuple(index for index, stride in enumerate(strides) if stride in (8, 16))
    return RgbBackbone(name, model, "stages", constants, default["input_size"][-1], name, stages)
