"""Choose the profile and bank for a row of the supplement's tables: the paper's setting, and a substitute
(stand-in) whose weights Tribank includes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evaluation.product_evaluation import FINAL

SWEPT = ("X", "XI", "XII")
"""Tables in which the paper tries several bank sizes and reports the best result."""
OTHERS = ("stfpm", "padim", "eyecandies_rgb", "eyecandies_rgbd", "eyecandies_rgbcdn")
"""Rows of other methods in these tables, which the paper quotes: they are from all training parts."""
SIZES = (10, 20, 50, 100, 200, 400)
"""Training parts of the sweep ("ranging from 10 to 400")."""
SHOTS: Mapping[str, int] = MappingProxyType({"shot_5": 5, "shot_10": 10, "shot_50": 50})
"""Rows of the full method with few training parts, and their number of parts."""


@dataclass(frozen=True, slots=True)
class Source:
    """Source of a row's numbers.

    Attributes:
        profile: name.
        column: the bank whose metrics are used, or FINAL.
        what: description, if the source is a stand-in.
    """

    profile: str
    column: str = FINAL
    what: str = ""

    @property
    def label(self) -> str:
        """Name in the first column of a table."""
        bank = "" if self.column == FINAL else f", its {self.column} bank"
        return f"{self.profile}{bank}"


PAPER: Mapping[str, Source] = MappingProxyType(
    {
        key: Source(profile)
        for key, profile in (
            ("only_pc", "m3dm-point"),
            ("only_rgb", "m3dm-rgb"),
            ("concat", "m3dm-concat"),
            ("uff", "m3dm-uff"),
            ("two_add", "m3dm-two-add"),
            ("two_dlf", "m3dm-two"),
            ("full", "m3dm"),
            ("fpfh", "fpfh"),
            ("patchcore", "patchcore"),
            ("patchcore_fpfh", "btf"),
            ("groups_64_784", "point-64x784-groups"),
            ("groups_128_1024", "point-128x1024-groups"),
            ("patch8_64_784", "point-64x784-8x8"),
            ("patch8_128_1024", "point-128x1024-8x8"),
            ("supervised_1k", "rgb-vitb8-in1k"),
            ("supervised_21k", "rgb-vitb8-in21k"),
            ("dino_s8", "rgb-dino-vits8"),
            ("point_bert", "point-bert"),
            ("padim", "padim-wide-resnet50"),
            ("stfpm", "stfpm-wide-resnet50"),
            ("ast", "ast-efficientnet-b5"),
        )
    }
)
"""The paper's setting by row key. `paper_source` also gives the settings with -paper-code."""

_POINT = Source("embedded-three", "point", "FPFH for Point-MAE")
_RGB = Source("embedded-three", "rgb", "EfficientNet-Lite1 and plain colour for DINO ViT-B/8")
_FULL = Source("embedded-three", what="scaled concatenation for UFF, tails for DLF")

_AUTOENCODER = "the network of the Eyecandies repository; that of the paper was not published"

STAND_INS: Mapping[str, tuple[Source, ...]] = MappingProxyType(
    {
        "only_pc": (_POINT,),
        "only_rgb": (_RGB,),
        "concat": (Source("embedded-concat", what="plain concatenation of both stand-ins"),),
        "uff": (
            Source(
                "embedded-uff", what="UFF of both stand-ins, trained on the product in 200 steps of 2 parts"
            ),
            Source("embedded-three", "fused", "scaled concatenation for UFF"),
        ),
        "two_add": (Source("embedded-two-add", what="both stand-ins, scores added"),),
        "two_dlf": (Source("embedded-two", what="both stand-ins with DLF"),),
        "full": (
            _FULL,
            Source("embedded-dlf", what="the same banks with DLF"),
            Source("embedded", what="our default, which is not M3DM's shape"),
        ),
        "patch8_128_1024": (Source("embedded-point-8x8", what="FPFH in 8 x 8 patches"),),
        "stfpm": (Source("stfpm", what="EfficientNet-Lite1 for WideResNet-50"),),
        "eyecandies_rgb": (Source("autoencoder-rgb", what=_AUTOENCODER),),
        "eyecandies_rgbd": (Source("autoencoder-rgbd", what=_AUTOENCODER),),
        "eyecandies_rgbcdn": (Source("autoencoder-rgbcdn", what=_AUTOENCODER),),
        "padim": (Source("padim", what="EfficientNet-Lite1 for WideResNet-50"),),
        "ast": (Source("ast", what="EfficientNet-Lite1 for B5, a quarter of the student's width"),),
        "supervised_1k": (Source("rgb-efficientnet-lite0", what="EfficientNet-Lite0, supervised too"),),
    }
)
"""Stand-ins by row key: settings whose weights Tribank includes. Few shots and sweeps use the first."""


def swept(number: str, key: str) -> bool:
    """Whether a row of a table is the best of several bank sizes."""
    return number in SWEPT and key not in OTHERS


def paper_source(key: str, paper_code: bool) -> Source | None:
    """The paper's setting of a row; None for a row of another method."""
    from recipes.profiles import PROFILES

    source = PAPER.get("full" if key in SHOTS else key)
    if source is None or not paper_code or f"{source.profile}-paper-code" not in PROFILES:
        return source
    return Source(f"{source.profile}-paper-code", source.column)


def stand_ins(number: str, key: str) -> tuple[Source, ...]:
    """The stand-ins for a row of a table. Few shots and sweeps have one, because they need many runs."""
    every = STAND_INS.get("full" if key in SHOTS else key, ())
    return every[:1] if key in SHOTS or number in SWEPT else every
