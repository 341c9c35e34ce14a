"""Translate tensor names of `efficientnet-pytorch` and `efficientnet-lite-pytorch` to names of timm.

All port the same TensorFlow networks (SAME padding, BatchNorm eps 1e-3), so only the names differ: these
packages have one flat list of blocks, timm has stages of blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

LITE0_BLOCKS = (1, 2, 2, 3, 3, 4, 1)
LITE1_BLOCKS = (1, 3, 3, 4, 4, 5, 1)
B5_BLOCKS = (3, 5, 5, 7, 7, 9, 3)
"""Blocks in each stage."""

_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}  # of B5, not of the Lites
_FIRST_STAGE = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
    **_SQUEEZE,
}
_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
    **_SQUEEZE,
}


def timm_name(name: str, blocks: Sequence[int]) -> str:
    """timm's name of one tensor, e.g. "_blocks.3._bn0.weight" -> "blocks.1.2.bn1.weight" for Lite1.

    blocks: number of blocks in each stage. Raises KeyError for an unknown name.
    """
    parts = name.split(".")
    if parts[0] != "_blocks":
        return ".".join([_OUTSIDE[parts[0]], *parts[1:]])
    position = int(parts[1])
    for stage, count in enumerate(blocks):
        if position < count:
            names = _BLOCK if stage else _FIRST_STAGE
            return ".".join(["blocks", str(stage), str(position), names[parts[2]], *parts[3:]])
        position -= count
    raise KeyError(name)
