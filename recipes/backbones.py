"""The RGB backbones that a profile can name, as data. Every other timm model is "timm:<model>"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Mean and standard deviation of RGB values in 0..1, which are subtracted and divided by."""
TIMM_PREFIX = "timm:"

Constants = tuple[tuple[float, float, float], tuple[float, float, float]]


class BadBackbone(ValueError):
    """The backbone's name, stages or input size are wrong. The message says which are right."""


@dataclass(frozen=True, slots=True)
class RgbBackbone:
    """One backbone.

    Attributes:
        name: name in profiles.
        model: timm's name with the tag of the weights.
        kind: "tokens" uses the patch tokens after the last layer's norm, without prefix tokens such as CLS;
            "stages" uses the maps at `stages`.
        constants: mean and standard deviation of the weights' training.
        size: default side of the square input, pixels.
        weights: name in `models.weights.catalogue`.
        stages: timm's indices of the maps that are used.
        count: number of stages; 0 for tokens.
        padded: whether the 3 x 3 averages of maps keep the map's size, so that patches stay at the place of
            their pixels. BTF does not pad, so its grid shrinks.
        every_group: whether `stages` count the groups of blocks of an EfficientNet, the stem being 0, and not
            the maps before each halving (timm's `extra_blocks`).
    """

    name: str
    model: str
    kind: Literal["tokens", "stages"]
    constants: Constants
    size: int
    weights: str
    stages: tuple[int, ...] = ()
    count: int = 0
    padded: bool = True
    every_group: bool = False

    def of_stages(self, stages: Sequence[int]) -> RgbBackbone:
        """The same backbone with other stages. Raises BadBackbone for stages that it does not have."""
        if self.kind != "stages":
            raise BadBackbone(f"{self.name} is a transformer without stages: leave out stages")
        if not stages or list(stages) != sorted(set(stages)) or not 0 <= stages[0] <= stages[-1] < self.count:
            raise BadBackbone(
                f"{self.name} has stages 0 to {self.count - 1}; give some of them in ascending order, "
                f"not {list(stages)}"
            )
        return replace(self, stages=tuple(stages))


def _tokens(name: str, model: str, constants: Constants) -> RgbBackbone:
    return RgbBackbone(name, model, "tokens", constants, 224, name)


def _stages(name: str, model: str, constants: Constants, *, padded: bool = True) -> RgbBackbone:
    return RgbBackbone(name, model, "stages", constants, 224, name, (2, 3), 5, padded)


BACKBONES: Mapping[str, RgbBackbone] = MappingProxyType(
    {
        backbone.name: backbone
        for backbone in (
            _stages("efficientnet_lite0", "tf_efficientnet_lite0.in1k", HALF),
            _stages("efficientnet_lite1", "tf_efficientnet_lite1.in1k", HALF),
            # AST's: the sixth of seven groups of blocks, stride 32 with 304 channels.
            RgbBackbone(
                name="efficientnet_b5",
                model="tf_efficientnet_b5.aa_in1k",
                kind="stages",
                constants=IMAGENET,
                size=456,
                weights="efficientnet_b5",
                stages=(6,),
                count=8,
                every_group=True,
            ),
            _tokens("dino_vitb8", "vit_base_patch8_224.dino", IMAGENET),
            _tokens("dino_vits8", "vit_small_patch8_224.dino", IMAGENET),
            _tokens("vitb8_in21k", "vit_base_patch8_224.augreg_in21k", HALF),
            # The paper's "supervised ImageNet 1K". The weights are fine-tuned from 21k. timm's name without a
            # tag means other weights today.
            _tokens("vitb8_in21k_ft_in1k", "vit_base_patch8_224.augreg_in21k_ft_in1k", HALF),
            # timm's default weights of this name when BTF was published.
            _stages("wide_resnet50_2", "wide_resnet50_2.racm_in1k", IMAGENET, padded=False),
            # PaDiM's: torchvision's first weights.
            _stages("resnet18", "resnet18.tv_in1k", IMAGENET),
            _stages("wide_resnet50_2_tv", "wide_resnet50_2.tv_in1k", IMAGENET),
        )
    }
)


def registered(name: str) -> RgbBackbone | None:
    """The backbone registered under `name`; None for "timm:<model>", which only timm can describe.

    Raises BadBackbone for any other name.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    if not name.startswith(TIMM_PREFIX) or name == TIMM_PREFIX:
        raise unknown(name)
    return None


def unknown(name: str) -> BadBackbone:
    """The error for an unknown name. Its message lists the registered names."""
    known = ", ".join(BACKBONES)
    return BadBackbone(f"unknown RGB backbone {name!r}: choose one of {known}, or timm:<model>")


def weights_of(name: str) -> str:
    """Registered name of an image network's weights. Raises BadBackbone for an unknown network."""
    backbone = registered(name)
    return name if backbone is None else backbone.weights
