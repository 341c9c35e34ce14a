"""RGB backbones by name: the backbones registered in `recipes.backbones`, and every other timm model."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from models.libraries import import_timm
from models.unfilled import unfilled
from recipes.backbones import TIMM_PREFIX, RgbBackbone, registered, unknown

timm = import_timm()

GRID = 28
"""Patches along one edge of the RGB grid at scale 1 (224 / 8)."""


def counting(backbone: RgbBackbone) -> dict[str, bool]:
    """What timm has to be told of how the backbone's stages are counted."""
    return {"extra_blocks": True} if backbone.every_group else {}


@lru_cache(maxsize=32)
def rgb_backbone(name: str) -> RgbBackbone:
    """The backbone registered under `name`, or a timm model for "timm:<model>".

    A timm vision transformer runs at 28 times its patch size (DINOv2: 392, DINOv3: 448), so that one token is
    one patch of the grid. Any other network runs at its own size, and its maps at strides 8 and 16 are used.
    Raises BadBackbone for an unknown name.
    """
    backbone = registered(name)
    if backbone is not None:
        return backbone
    model = name.removeprefix(TIMM_PREFIX)
    if not timm.is_model(model.split(".")[0]):
        raise unknown(name)
    with unfilled():
        network: Any = timm.create_model(model)
    default = network.pretrained_cfg
    constants = (tuple(default["mean"]), tuple(default["std"]))
    if hasattr(network, "patch_embed") and hasattr(network, "num_prefix_tokens"):
        size = GRID * network.patch_embed.patch_size[0]
        return RgbBackbone(name, model, "tokens", constants, size, name)
    strides = [info["reduction"] for info in network.feature_info]
    stages = tuple(index for index, stride in enumerate(strides) if stride in (8, 16))
    size = default["input_size"][-1]
    return RgbBackbone(name, model, "stages", constants, size, name, stages, len(strides))
