"""RGB patch features: one extractor for every timm backbone (paper sec. 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isqrt
from typing import Any, Literal

import torch
from torch.nn import functional

from models.features import Patches
from models.layout import GridLayout
from models.numerics.compiled import Runtime, compiled, runtime_of
from models.numerics.linear import FastLinear
from models.preparation.prepare import PreparedPart
from models.rgb.backbones import GRID, counting, rgb_backbone, timm
from models.unfilled import unfilled
from models.weights.store import WeightStore
from recipes.backbones import IMAGENET, BadBackbone, RgbBackbone


class RgbExtractor:
    """Patch grids of RGB features from a frozen network.

    Each part is computed alone, so the rows of a part are bitwise the same in any batch.
    """

    def __init__(
        self,
        backbone: RgbBackbone,
        network: Any,
        *,
        size: int,
        device: str | torch.device = "cpu",
        constants: Literal["own", "paper"] = "own",
        side: int = GRID,
        averaged: bool = True,
    ) -> None:
        """Move the network to the device.

        Args:
            backbone: the network's description.
            network: the whole timm model with its weights. The type is Any because timm's methods are
                untyped.
            size, device, constants, side, averaged: as in `load`.
        """
        self.backbone = backbone
        self.side = side
        self.size = size
        self.device = torch.device(device)
        mean, std = backbone.constants if constants == "own" else IMAGENET
        grid = _Grid(backbone, network, self.device, mean, std, side, averaged)
        # Vision transformers gain little and would take much memory (docs/performance.md).
        gains = self.device.type == "cpu" and backbone.kind == "stages"
        self._grid = compiled(grid, (1, 3, size, size)) if gains else grid
        self.runtime: Runtime = runtime_of(self._grid)
        """What runs the network."""

    @classmethod
    def load(
        cls,
        name: str,
        weights: WeightStore,
        device: str | torch.device = "cpu",
        *,
        constants: Literal["own", "paper"] = "own",
        size: int | None = None,
        stages: Sequence[int] | None = None,
        side: int = GRID,
        averaged: bool = True,
    ) -> RgbExtractor:
        """Load the extractor of a backbone. The grid has side x side patches at every input size.

        Args:
            name: a registered backbone or "timm:<model>".
            weights: where the network's weights are.
            device: where the network runs.
            constants: "own" is the mean and std of the weights' training; "paper" is the mean and std of
                ImageNet, which the published code uses for every backbone.
            size: side of the input, pixels; None is the backbone's default. It must equal
                `Preparation.rgb_size`.
            stages: maps of a convolutional network, by timm's indices; None is the backbone's default.
            side: patches along one edge of the grid.
            averaged: as in `recipes.extraction.RgbChoice`.

        Raises MissingWeights; BadWeights with the names of the tensors; ValueError for an unknown name or a
        wrong size or stage.
        """
        backbone = rgb_backbone(name) if stages is None else rgb_backbone(name).of_stages(stages)
        size = backbone.size if size is None else size
        network = _filled(backbone.model, weights.load(backbone.weights))
        _fit(network, backbone, size)
        return cls(
            backbone,
            network,
            size=size,
            device=device,
            constants=constants,
            side=side,
            averaged=averaged,
        )

    @torch.no_grad()
    def __call__(self, parts: Sequence[PreparedPart]) -> list[Patches]:
        """One grid per part: rows (side * side, C) float32 on the extractor's device, row-major.

        Raises ValueError if a part was prepared at another RGB size.
        """
        return [Patches(self._rows(part), GridLayout(self.side)) for part in parts]

    def _rows(self, part: PreparedPart) -> torch.Tensor:
        if part.rgb.shape != (self.size, self.size, 3):
            raise ValueError(
                f"{self.backbone.name} was loaded for {self.size} px, but the part's RGB image is "
                f"{part.rgb.shape}. Set Preparation.rgb_size to the extractor's size."
            )
        plain = torch.tensor(part.rgb, device=self.device).permute(2, 0, 1)[None].float() / 255
        return self.grid(plain)[0].flatten(1).T.float().contiguous()  # also within torch.autocast

    @torch.no_grad()
    def grid(self, image: torch.Tensor) -> torch.Tensor:
        """The network's channels of any image, (1, C, side, side) float32.

        image: (1, 3, size, size) float32 in 0..1 on the extractor's device.
        """
        return self._grid(image)


class _Grid:
    """From an image (1, 3, size, size) float32 in 0..1 to the network's channels (1, C, side, side) float32,
    by torch."""

    def __init__(
        self,
        backbone: RgbBackbone,
        network: Any,
        device: torch.device,
        mean: Sequence[float],
        std: Sequence[float],
        side: int,
        averaged: bool = True,
    ) -> None:
        self._backbone = backbone
        self._side = side
        self._averaged = averaged
        self._mean, self._std = (torch.tensor(of, device=device).view(1, 3, 1, 1) for of in (mean, std))
        self._layout = torch.channels_last if backbone.kind == "stages" else torch.contiguous_format
        self._network = network.eval().requires_grad_(False).to(device).to(memory_format=self._layout)

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        normalised = (image - self._mean) / self._std
        maps = self._maps(normalised.contiguous(memory_format=self._layout))
        repeated = not (self._averaged and self._backbone.padded)
        return torch.cat([_to_grid(plane, self._side, repeated=repeated) for plane in maps], 1)

    def _maps(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Feature maps (1, C, h, w) float32."""
        if self._backbone.kind == "tokens":
            with FastLinear():
                tokens = self._network.forward_features(image)[:, self._network.num_prefix_tokens :]
            edge = isqrt(int(tokens.shape[1]))  # whole, also where a trace counts
            return [tokens.transpose(1, 2).unflatten(2, (edge, edge))]
        stages = self._network.forward_intermediates(
            image,
            indices=self._backbone.stages,
            intermediates_only=True,
            stop_early=True,
            **counting(self._backbone),
        )
        if not self._averaged:
            return list(stages)
        padding = 1 if self._backbone.padded else 0
        return [functional.avg_pool2d(stage, 3, 1, padding, count_include_pad=False) for stage in stages]


def unfilled_network(
    name: str, *, size: int, stages: Sequence[int] | None, side: int
) -> Callable[[torch.Tensor], torch.Tensor]:
    """What an extractor computes of an image (1, 3, size, size), on the meta device: to count operations.

    name, size, stages, side: as in `RgbExtractor.load`.
    """
    backbone = rgb_backbone(name) if stages is None else rgb_backbone(name).of_stages(stages)
    with unfilled():
        network = timm.create_model(backbone.model, pretrained=False)
    _fit(network, backbone, size)
    return _Grid(backbone, network, torch.device("meta"), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), side)


def _filled(model: str, state: Mapping[str, torch.Tensor]) -> Any:
    """The timm model with exactly these tensors. No random weights are drawn first, which would take time."""
    with unfilled():
        network = timm.create_model(model, pretrained=False)
    if {name for name, _ in network.named_buffers()} - state.keys():
        network = timm.create_model(
            model, pretrained=False
        )  # computes its constant tables (rotary positions)
    network.load_state_dict(state, strict=True, assign=True)
    return network


def _fit(network: Any, backbone: RgbBackbone, size: int) -> None:
    """Remove layers that the features do not need, and set the input size of a vision transformer.

    timm resamples learnt position embeddings bicubically. At the trained size they stay unchanged.
    Raises BadBackbone if the size is not a multiple of the patch size.
    """
    if backbone.kind == "stages":
        network.prune_intermediate_layers(
            list(backbone.stages), prune_norm=False, prune_head=True, **counting(backbone)
        )
        return
    network.reset_classifier(0)
    patch, trained = network.patch_embed.patch_size[0], network.patch_embed.img_size
    if size % patch:
        raise BadBackbone(
            f"{backbone.name} cannot run at {size} px: choose a multiple of its patch size {patch}"
        )
    if trained is not None and tuple(trained) != (size, size):
        network.set_input_size(img_size=(size, size))


def _to_grid(plane: torch.Tensor, side: int, *, repeated: bool) -> torch.Tensor:
    """(1, C, h, w) -> (1, C, side, side). Finer maps are averaged; coarser maps are bilinear between centres.

    repeated: coarser maps are averaged too, which repeats cells (BTF, PaDiM).
    """
    if plane.shape[-1] == side:
        return plane
    if repeated or plane.shape[-1] > side:
        return functional.adaptive_avg_pool2d(plane, side)
    return functional.interpolate(plane, size=(side, side), mode="bilinear", align_corners=False)
