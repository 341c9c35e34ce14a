"""The table of all profiles: our default, M3DM's bank settings in two forms, and the paper's other rows.

`m3dm...` follows the paper's text, with our choices for what the text leaves open. The same names with
`-paper-code` repeat the published code with its deviations from the text (`docs/profiles.md` lists them).

To add a profile, add a row to one of the tables below, or a `Profile` to `PROFILES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from pydantic import ValidationError

from recipes.banks import BankRecipe, Recipe, Reweighting
from recipes.changes import SCALE, BadChange, apply, scale_sides
from recipes.colour import ColourChoice
from recipes.extraction import Extraction, NormalsChoice
from recipes.fusion import FusionKind, FusionTraining
from recipes.other_methods import OTHER_METHODS
from recipes.points import PRESETS as FPFH
from recipes.points import FpfhChoice, PointNetwork, PointSide
from recipes.preparation import FOLLOWING, Preparation
from recipes.profile import Profile, Rule
from recipes.relief import ReliefChoice
from recipes.rgb import RgbChoice
from recipes.sentences import sentences

DEFAULT_PROFILE = "embedded"

_DINO = "dino_vitb8"
_SETTINGS: Mapping[str, tuple[str, tuple[str, ...], FusionKind | None, Rule]] = {
    # supplement Tables II and III: name -> (description, banks, fusion, decision)
    "m3dm": ("all three banks", ("rgb", "point", "fused"), "uff", "dlf"),
    "m3dm-point": ("point bank only", ("point",), None, "single"),
    "m3dm-rgb": ("RGB bank only", ("rgb",), None, "single"),
    "m3dm-concat": ("fused bank only, plain concatenation", ("fused",), "concat", "single"),
    "m3dm-uff": ("fused bank only, UFF", ("fused",), "uff", "single"),
    "m3dm-two-add": ("RGB and point banks, scores added", ("rgb", "point"), None, "add"),
    "m3dm-two": ("RGB and point banks, decision layer fusion", ("rgb", "point"), None, "dlf"),
}


_RAW = BankRecipe(normalisation="none", reweighting=Reweighting())


def _m3dm(name: str, *, paper_code: bool) -> Profile:
    """A row of _SETTINGS as the paper's text says, or as the published code runs."""
    description, banks, fusion, decision = _SETTINGS[name]
    points = _paper_points() if paper_code else PointNetwork()
    extraction = Extraction(
        rgb=RgbChoice(_DINO, "paper" if paper_code else "own") if banks != ("point",) else None,
        point=points if banks != ("rgb",) else None,
        fusion=fusion,
    )
    if not paper_code:
        recipes: dict[str, Recipe] = {bank: BankRecipe() for bank in banks}
        summary = f"M3DM, {description} (supplement Table II)."
        return Profile(
            name=name,
            summary=summary,
            preparation=Preparation(),
            extraction=extraction,
            banks=recipes,
            decision=decision,
        )
    return Profile(
        name=f"{name}-paper-code",
        summary=f"M3DM as its published code runs, {description}.",
        preparation=Preparation(),
        extraction=extraction,
        banks={bank: _paper_bank(banks, decision) for bank in banks},
        coreset_sizes="cascaded",
        zero_row=banks == ("rgb", "point", "fused"),
        blur="pil8",
        decision="dlf_published" if decision == "dlf" else decision,
        decision_fit="training" if decision == "dlf" else "held-out",
    )


def _m3dm_normals() -> Profile:
    """M3DM's banks with a bank of surface normals, joined as in our default."""
    m3dm, image = _m3dm("m3dm", paper_code=False), RgbChoice(_DINO)
    return m3dm.model_copy(
        update={
            "name": "m3dm-normals",
            "summary": "M3DM's three banks and a bank of surface normals, seen by DINO ViT-B/8.",
            "extraction": replace(m3dm.extraction, normals=NormalsChoice(image)),
            "banks": {bank: BankRecipe() for bank in ("rgb", "point", "normals", "fused")},
            "decision": "tail",
            "place_sigma": 1.0,
        }
    )


def _paper_points() -> PointNetwork:
    return PointNetwork(skip_near_origin=True, distances="expanded")


def _paper_bank(banks: Sequence[str], decision: str) -> BankRecipe:
    """Normalisation and re-weighting of the published classes (facts 6.1 and 6.3)."""
    if len(banks) > 1:
        divisor = 1000.0 if len(banks) == 2 and decision == "dlf" else 1.0
        return BankRecipe(normalisation="shared", reweighting=Reweighting(divisor=divisor))
    epsilon = 0.0 if banks == ("fused",) else 1e-5
    return BankRecipe(
        normalisation="own" if banks == ("rgb",) else "none", reweighting=Reweighting(epsilon=epsilon)
    )


_EMBEDDED_RGB = RgbChoice("efficientnet_lite1", stages=(1, 2, 3), colour=None)
"""Strides 4, 8 and 16: with strides 8 and 16 alone, small stains are missed. Plain colour is added because
the network hardly represents soft stains and tints."""
_EMBEDDED_POINT = FpfhChoice(FPFH["embedded"])
_NETWORK_ALONE = replace(_EMBEDDED_RGB, colour=0.0)
_EMBEDDED_NORMALS = NormalsChoice(_NETWORK_ALONE)
_COARSE_POINT = replace(_EMBEDDED_POINT, side=28)
_EMBEDDED_RELIEF = ReliefChoice()
_EMBEDDED_COLOUR = ColourChoice()
_EMBEDDED_SIZE = 448
_CAMERA_DRIFT = 0.05
"""What the gains of an industrial camera drift by (docs/profiles.md)."""
_LOCAL_SCALE = 0.4
"""Chosen on seeds 0 and 3 of the demo parts: larger powers rank parts worse (docs/results.md)."""
_COUNTED = 120
"""Held-out parts: a rate of 1 % can be counted from 99 on, and a few parts may be odd."""
_SHORT_TRAINING = FusionTraining(steps=200, warm_up=50, batch=2)
"""Takes minutes on two CPU cores. The paper's 750 steps of 16 parts would take hours."""


def _embedded(
    name: str,
    summary: str,
    banks: Sequence[str],
    decision: Rule,
    fusion: FusionKind | None = None,
    point: FpfhChoice = _EMBEDDED_POINT,
    training: FusionTraining | None = None,
) -> Profile:
    """The default's extractors with other banks. "relief", "colour" and "fused" are not normalised, because
    their extractors and the fusion scale them. Without a colour bank, the RGB patches have plain colour."""
    rgb = _NETWORK_ALONE if "colour" in banks else _EMBEDDED_RGB
    return Profile(
        name=name,
        summary=summary,
        preparation=replace(
            FOLLOWING,
            rgb_size=_EMBEDDED_SIZE,
            balance_drift=_CAMERA_DRIFT if {"rgb", "relief", "colour", "fused"} & set(banks) else 0.0,
        ),
        extraction=Extraction(
            rgb=rgb if {"rgb", "fused"} & set(banks) else None,
            point=point if {"point", "fused"} & set(banks) else None,
            normals=_EMBEDDED_NORMALS if "normals" in banks else None,
            relief=_EMBEDDED_RELIEF if "relief" in banks else None,
            colour=_EMBEDDED_COLOUR if "colour" in banks else None,
            fusion=fusion,
            training=training or FusionTraining(),
        ),
        banks={
            bank: BankRecipe(
                normalisation="none" if bank in ("relief", "colour", "fused") else "own",
                local_scale=_LOCAL_SCALE if decision == "tail" else 0.0,
            )
            for bank in banks
        },
        decision=decision,
        coverage=True,
        place_sigma=1.0,
        calibration_parts=_COUNTED,
    )


def _rgb(name: str, backbone: str, summary: str, size: int = 224) -> Profile:
    """One backbone, as in supplement Table VIII."""
    return Profile(
        name=name,
        summary=summary,
        preparation=Preparation(rgb_size=size),
        extraction=Extraction(rgb=RgbChoice(backbone)),
        banks={"rgb": BankRecipe()},
        decision="single",
    )


_POINT_SETTINGS: Sequence[tuple[int, int, str, PointSide | None, str]] = (
    # supplement sec. D: points per group, groups, name of the patches, side, description
    (64, 784, "groups", None, "each a patch of its own"),
    (128, 1024, "groups", None, "each a patch of its own"),
    (64, 784, "8x8", 28, "8 x 8 px patches"),
    (128, 1024, "8x8", 28, "8 x 8 px patches"),
    (128, 1024, "4x4", 56, "4 x 4 px patches: m3dm-point by its setting"),
)


def _points(name: str, network: PointNetwork, summary: str) -> Profile:
    """One setting of supplement Tables IV, V and IX."""
    return Profile(
        name=name,
        summary=summary,
        preparation=Preparation(),
        extraction=Extraction(point=network),
        banks={"point": BankRecipe()},
        decision="single",
    )


def _listed(*profiles: Profile) -> Mapping[str, Profile]:
    return MappingProxyType({profile.name: profile for profile in profiles})


PROFILES = _listed(
    _embedded(
        DEFAULT_PROFILE,
        "EfficientNet-Lite1, FPFH, relief and colour: works offline, on a CPU. The default.",
        ("rgb", "relief", "colour", "fused"),
        "tail",
        "scaled_concat",
        point=_COARSE_POINT,
    ),
    _embedded(
        "embedded-three",
        "EfficientNet-Lite1 and FPFH in an RGB, a point and a fused bank, as M3DM has them.",
        ("rgb", "point", "fused"),
        "tail",
        "scaled_concat",
    ),
    _embedded(
        "embedded-rgb",
        "EfficientNet-Lite1 and plain colour in an RGB bank alone: parts without a cloud.",
        ("rgb",),
        "single",
    ),
    _embedded("embedded-point", "FPFH in a point bank alone: parts without colour.", ("point",), "single"),
    _embedded(
        "embedded-point-8x8",
        "The same with 8 x 8 px patches instead of 4 x 4.",
        ("point",),
        "single",
        point=_COARSE_POINT,
    ),
    _embedded(
        "embedded-point-overlap",
        "The same with 8 x 8 px patches that overlap by half.",
        ("point",),
        "single",
        point=replace(_EMBEDDED_POINT, side=28, overlap=True),
    ),
    _embedded(
        "embedded-point-scales",
        "The same with 8 x 8 px patches and histograms of 1, 2 and 3 times the neighbours, averaged.",
        ("point",),
        "single",
        point=replace(_COARSE_POINT, settings=FPFH["scales"]),
    ),
    _embedded(
        "embedded-concat",
        "EfficientNet-Lite1 and FPFH in a fused bank, not scaled, alone.",
        ("fused",),
        "single",
        "concat",
    ),
    _embedded(
        "embedded-uff",
        "EfficientNet-Lite1 and FPFH fused by a UFF trained on the product's good parts, alone.",
        ("fused",),
        "single",
        "uff_trained",
        training=_SHORT_TRAINING,
    ),
    _embedded(
        "embedded-two-add",
        "The RGB and point banks of embedded-three, scores added.",
        ("rgb", "point"),
        "add",
    ),
    _embedded(
        "embedded-two",
        "The RGB and point banks of embedded-three, decision layer fusion.",
        ("rgb", "point"),
        "dlf",
    ),
    _embedded(
        "embedded-dlf",
        "The banks of embedded-three, decision layer fusion.",
        ("rgb", "point", "fused"),
        "dlf",
        "scaled_concat",
    ),
    _embedded(
        "embedded-normals",
        "The default's banks and a bank of surface normals.",
        ("rgb", "normals", "relief", "colour", "fused"),
        "tail",
        "scaled_concat",
        point=_COARSE_POINT,
    ),
    _embedded("embedded-normals-only", "The bank of surface normals alone.", ("normals",), "single"),
    _m3dm_normals(),
    *(_m3dm(name, paper_code=paper_code) for name in _SETTINGS for paper_code in (False, True)),
    _rgb(
        "rgb-efficientnet-lite0",
        "efficientnet_lite0",
        "RGB bank, EfficientNet-Lite0: the lightest.",
        size=_EMBEDDED_SIZE,
    ),
    _rgb("rgb-dino-vits8", "dino_vits8", "RGB bank, DINO ViT-S/8 (Table VIII)."),
    _rgb("rgb-vitb8-in21k", "vitb8_in21k", "RGB bank, ViT-B/8 supervised on ImageNet-21k (Table VIII)."),
    _rgb(
        "rgb-vitb8-in1k",
        "vitb8_in21k_ft_in1k",
        'RGB bank, the paper\'s "supervised ImageNet-1k": 21k weights fine-tuned on 1k (Table VIII).',
    ),
    _points("point-bert", PointNetwork(kind="pointbert"), "Point bank, Point-BERT (Table IX)."),
    *(
        _points(
            f"point-{group_size}x{groups}-{patch}",
            PointNetwork(groups=groups, group_size=group_size, side=side),
            f"Point bank, {groups} groups of {group_size}, {description} (Tables IV and V).",
        )
        for group_size, groups, patch, side, description in _POINT_SETTINGS
    ),
    Profile(
        name="fpfh",
        summary="Baseline: FPFH of Back to the Feature, PatchCore's score.",
        preparation=Preparation(),
        extraction=Extraction(point=FpfhChoice(FPFH["btf"], side=28)),
        banks={"point": _RAW},
        decision="single",
    ),
    Profile(
        name="patchcore",
        summary="Baseline: PatchCore on WideResNet-50 (RGB).",
        preparation=Preparation(),
        extraction=Extraction(rgb=RgbChoice("wide_resnet50_2")),
        banks={"rgb": _RAW},
        decision="single",
    ),
    Profile(
        name="btf",
        summary="Baseline: PatchCore + FPFH concatenated (Back to the Feature).",
        preparation=Preparation(),
        extraction=Extraction(
            rgb=RgbChoice("wide_resnet50_2"), point=FpfhChoice(FPFH["btf"], side=28), fusion="concat"
        ),
        banks={"fused": _RAW},
        decision="single",
    ),
    *OTHER_METHODS,
)
"""All profiles by name."""


class UnknownProfile(LookupError):
    """No profile has this name. The message lists all names."""


def find_profile(name: str, *, prepared: bool = False, changes: Sequence[str] = ()) -> Profile:
    """Find a profile and change it.

    Args:
        name: of the profile.
        prepared: whether the background of the parts is already removed.
        changes: "field=value" or "field.field=value", with values in JSON or as plain words. "scale=2" comes
            first: it multiplies the profile's sides, and the other changes are of the result.

    Raises UnknownProfile or BadChange.
    """
    if name not in PROFILES:
        raise UnknownProfile(f"Unknown profile '{name}'. Choose one of {', '.join(PROFILES)}.")
    profile = PROFILES[name]
    if prepared:
        preparation = replace(profile.preparation, background="none")
        profile = profile.model_copy(update={"preparation": preparation})
    if not changes:
        return profile
    fields = profile.model_dump(mode="json")
    scales = [change for change in changes if change.startswith(SCALE)]
    try:
        for change in scales:
            apply(fields, change)
        scale_sides(fields, Profile.model_validate(fields).scale)
        for change in changes:
            apply(fields, change)
        return Profile.model_validate(fields)
    except ValidationError as error:
        raise BadChange(f"Profile {name} with {', '.join(changes)}: {'; '.join(sentences(error))}.") from None
