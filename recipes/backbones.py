"""The RGB backbones that a profile can name, as data. Any other timm model is "timm:<model>"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Mean and standard deviation of RGB in 0..1."""
TIMM_PREFIX = "timm:"

Constants = tuple[tuple[float, float, float], tuple[float, float, float]]


class BadBackbone(ValueError):
    """No backbone has this name, or it has no such stages."""


@dataclass(frozen=True, slots=True)
class RgbBackbone:
    """One backbone.

    model: timm's name, with its weights tag. kind: "tokens" takes the patch tokens after the last layer's
    norm (the first tokens, such as CLS, are dropped); "stages" takes the maps at `stages` (timm's indices).
    constants: mean and std the weights were trained with. size: default side of the square input, pixels.
    weights: name in `models.weights.catalogue`. count: how many stages it has, 0 for tokens. padded: whether
    the 3 x 3 averages of stages keep the map's size, so that patches stay where their pixels are; BTF's do
    not and its grid is squeezed.
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

    def of_stages(self, stages: Sequence[int]) -> RgbBackbone:
        """The same backbone by other maps. Raises BadBackbone if it has no such stages."""
        if self.kind != "stages":
            raise BadBackbone(f"{self.name} is a transformer: it has patch tokens and no stages to choose")
        if not stages or list(stages) != sorted(set(stages)) or not 0 <= stages[0] <= stages[-1] < self.count:
            raise BadBackbone(
                f"{self.name} has stages 0 to {self.count - 1}, in that order, not {list(stages)}"
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


def registered(name: str) -> RgbBackbone | None:
    """The backbone registered under `name`; None for "timm:<model>", of which only timm knows more.

    Raises BadBackbone for any other name.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    if not name.startswith(TIMM_PREFIX) or name == TIMM_PREFIX:
        raise unknown(name)
    return None


def unknown(name: str) -> BadBackbone:
    """The refusal of a name, which lists what there is."""
    known = ", ".join(BACKBONES)
    return BadBackbone(f"unknown RGB backbone {name!r}: choose one of {known}, or timm:<model>")
