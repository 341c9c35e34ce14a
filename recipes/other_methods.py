"""The profiles of methods that are no memory banks: autoencoders, STFPM, AST, PaDiM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recipes.banks import PadimRecipe
from recipes.extraction import Extraction
from recipes.picture import CellsChoice, PictureChannels, PictureChoice
from recipes.preparation import FOLLOWING, Preparation
from recipes.profile import Profile
from recipes.rgb import RgbChoice
from recipes.trained import AstRecipe, AutoencoderRecipe, StfpmRecipe


def _autoencoder(name: str, channels: PictureChannels, published: str) -> Profile:
    """An autoencoder with the schedule and the resolution of the Eyecandies repository."""
    return Profile(
        name=name,
        summary=f"Baseline: autoencoder after the Eyecandies repository, {published} (Tables X and XI).",
        preparation=replace(FOLLOWING, size=256, rgb_size=256),
        extraction=Extraction(picture=PictureChoice(channels)),
        banks={"picture": AutoencoderRecipe()},
        blur="none",
        decision="single",
    )


def _stfpm(name: str, teacher: str, summary: str) -> Profile:
    """STFPM with the schedule and the resolution of the authors' code."""
    return _autoencoder(name, "rgb", "").model_copy(
        update={
            "summary": summary,
            "extraction": Extraction(picture=PictureChoice(teacher=teacher)),
            "banks": {"picture": StfpmRecipe()},
        }
    )


_LITE_CELLS = CellsChoice("efficientnet_lite1", stages=(3,))
"""The map at stride 16: 24 x 24 places of 112 channels at 384 pixels."""
_B5_CELLS = CellsChoice("efficientnet_b5", depth_unit=0.01)
_LITE_WIDTH = 256
"""Of the student, a quarter of the published one: a sixteenth of the work."""


def _ast(name: str, cells: CellsChoice, summary: str) -> Profile:
    """AST with the authors' schedule. The image has 16 or 32 pixels a cell, the cloud 8."""
    published = cells.backbone == _B5_CELLS.backbone
    return Profile(
        name=name,
        summary=summary,
        preparation=replace(FOLLOWING, size=8 * cells.side, rgb_size=(32 if published else 16) * cells.side),
        extraction=Extraction(picture=cells),
        banks={"picture": AstRecipe() if published else AstRecipe(width=_LITE_WIDTH)},
        blur="none",
        decision="single",
    )


_PADIM = RgbChoice("efficientnet_lite1", stages=(1, 2, 3), side=56, averaged=False)
"""The maps at strides 4, 8 and 16, on the grid of the first at 224 pixels."""


def _padim(
    name: str, backbone: str, channels: int, summary: str, preparation: Preparation | None = None
) -> Profile:
    """PaDiM with the published number of channels."""
    return Profile(
        name=name,
        summary=summary,
        preparation=preparation or Preparation(),
        extraction=Extraction(rgb=replace(_PADIM, backbone=backbone)),
        banks={"rgb": PadimRecipe(channels=channels)},
        decision="single",
    )


OTHER_METHODS: Sequence[Profile] = (
    _autoencoder("autoencoder-rgb", "rgb", "RGB"),
    _autoencoder("autoencoder-rgbd", "rgbd", "RGB and depth"),
    _autoencoder("autoencoder-rgbcdn", "rgbcdn", "RGB, clipped depth and normals"),
    _stfpm("stfpm", "efficientnet_lite1", "STFPM, EfficientNet-Lite1 as teacher: trained on the product."),
    _stfpm("stfpm-resnet18", "resnet18", "Baseline: STFPM with ResNet-18."),
    _stfpm(
        "stfpm-wide-resnet50",
        "wide_resnet50_2_tv",
        "Baseline: STFPM with WideResNet-50 (Table X).",
    ),
    _ast("ast", _LITE_CELLS, "AST, EfficientNet-Lite1 and depth, a narrow student: trained on the product."),
    _ast("ast-rgb", replace(_LITE_CELLS, depth=False), "AST, EfficientNet-Lite1 alone, a narrow student."),
    _ast("ast-depth", CellsChoice(None), "AST, depth alone, a narrow student."),
    _ast("ast-efficientnet-b5", _B5_CELLS, "Baseline: AST with EfficientNet-B5 and depth (Table I)."),
    _ast(
        "ast-efficientnet-b5-rgb",
        replace(_B5_CELLS, depth=False),
        "Baseline: AST with EfficientNet-B5 alone.",
    ),
    _padim("padim", "efficientnet_lite1", 100, "PaDiM on EfficientNet-Lite1.", FOLLOWING),
    _padim("padim-resnet18", "resnet18", 100, "Baseline: PaDiM on ResNet-18, 100 channels."),
    _padim(
        "padim-wide-resnet50",
        "wide_resnet50_2_tv",
        550,
        "Baseline: PaDiM on WideResNet-50, 550 channels (Tables X and XI).",
    ),
)
