"""Profiles are data: each is complete, survives being stored, and can be changed by field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from banks.decision.rules import RULES
from models.rgb.backbones import timm
from recipes.backbones import BACKBONES
from recipes.banks import BY_METHOD, BankRecipe, PadimRecipe
from recipes.colour import CHANNELS as COLOUR_CHANNELS
from recipes.colour import ColourChoice
from recipes.measured import Measured
from recipes.picture import PICTURES
from recipes.points import KINDS, PointNetwork, relief
from recipes.profile import Profile, Rule
from recipes.profiles import DEFAULT_PROFILE, PROFILES, BadChange, UnknownProfile, find_profile
from recipes.relief import CHANNELS, ReliefChoice
from recipes.trained import AutoencoderRecipe
from recipes.usual import Usual


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_survives_the_manifest(name: str) -> None:
    profile = PROFILES[name]
    assert profile.name == name
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_the_default_needs_no_download() -> None:
    assert PROFILES[DEFAULT_PROFILE].extraction.weights() == ("efficientnet_lite1",)


def test_profiles_that_join_banks_by_tails_scale_distances_locally() -> None:
    powers = {
        name: recipe.local_scale
        for name, profile in PROFILES.items()
        for recipe in profile.banks.values()
        if isinstance(recipe, BankRecipe) and recipe.local_scale
    }
    assert powers.keys() == {"embedded", "embedded-three", "embedded-normals"}
    (power,) = set(powers.values())
    assert 0 < power < 1


def test_both_modes_of_every_bank_setting() -> None:
    own = "-paper-code", "-normals"
    ours = [name for name in PROFILES if name.startswith("m3dm") and not name.endswith(own)]
    assert len(ours) == 7
    for name in ours:
        published = PROFILES[f"{name}-paper-code"]
        assert published.banks.keys() == PROFILES[name].banks.keys()
        assert published.blur == "pil8"


def test_the_profiles_with_normals_add_one_bank_to_those_without() -> None:
    for name, without in (("m3dm-normals", "m3dm"), ("embedded-normals", "embedded")):
        more, less = PROFILES[name], PROFILES[without]
        assert [bank for bank in more.banks if bank != "normals"] == list(less.banks)
        assert "normals" in more.banks
        assert replace(more.extraction, normals=None) == less.extraction
        assert more.extraction.weights() == less.extraction.weights()


def test_the_gain_of_the_normals_follows_how_flat_the_product_is() -> None:
    flat = Measured(3, 1e-3, 1e-3, noise=1e-6, field=0.2, extent=0.1, height=0.001, width=0.1)
    for measured, gain in ((None, 3.0), (flat, 3 * relief(flat))):
        normals = PROFILES["embedded-normals"].resolved(measured).extraction.normals
        assert normals is not None
        assert normals.gain == pytest.approx(gain, rel=0.01)


@pytest.mark.parametrize("name", PROFILES)
def test_what_follows_the_product_is_taken_over_from_a_version_of_any_source(name: str) -> None:
    profile = PROFILES[name]
    built = profile.resolved(Measured(3, 1e-3, 1e-3, noise=1e-4, field=0.2, extent=0.1)).coloured(7.0)
    built = built.with_relief(ReliefChoice(unit=1e-3, usual=((0.5, 2.0),) * CHANNELS, inside=0.4))
    built = built.with_usual_colour(ColourChoice(usual=((0.5, 2.0),) * COLOUR_CHANNELS))
    assert profile.as_built(built) == built
    other = built.model_copy(update={"coreset": 0.5})
    assert profile.as_built(other) == built != other


def test_the_unit_of_the_relief_follows_the_pitch_and_how_flat_the_product_is() -> None:
    flat = Measured(3, 1e-3, 1e-3, noise=1e-6, field=0.2, extent=0.1, height=0.001, width=0.1)
    high = replace(flat, height=0.1)
    for measured, unit in ((None, 0.00045), (high, 1e-3), (flat, 1e-3 / relief(flat))):
        choice = PROFILES["embedded"].resolved(measured).extraction.relief
        assert choice is not None
        assert choice.length == pytest.approx(unit, rel=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": 0.0},
        {"unit": float("nan")},
        {"inside": 0.0},
        {"inside": 1.5},
        {"usual": ((0.0, 1.0),)},
        {"usual": ((0.0, 0.0),) * CHANNELS},
        {"usual": ((float("inf"), 1.0),) * CHANNELS},
    ],
)
def test_impossible_numbers_of_the_relief_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ReliefChoice(**wrong)


def test_what_is_usual_for_the_relief_follows_the_product_once() -> None:
    first, second = ((0.5, 2.0),) * CHANNELS, ((0.0, 1.0),) * CHANNELS
    fitted = ReliefChoice().fitted(first, 0.5)
    assert (fitted.usual, fitted.inside) == (first, 0.35)
    assert fitted.fitted(second, 1.0) == fitted


@pytest.mark.parametrize("usual", [((0.0, 1.0),), ((0.0, 0.0),) * COLOUR_CHANNELS])
def test_impossible_numbers_of_the_colours_are_refused(usual: Usual) -> None:
    with pytest.raises(ValueError, match="usual"):
        ColourChoice(usual=usual)


def test_what_is_usual_for_the_colours_follows_the_product_once() -> None:
    first, second = ((0.5, 2.0),) * COLOUR_CHANNELS, ((0.0, 1.0),) * COLOUR_CHANNELS
    fitted = ColourChoice().fitted(first)
    assert fitted.usual == first
    assert fitted.fitted(second) == fitted


def test_changes() -> None:
    changed = find_profile("embedded", prepared=True, changes=["coreset=0.5", "preparation.size=112"])
    assert changed.coreset == 0.5
    assert changed.preparation.size == 112
    assert changed.preparation.background == "none"
    assert PROFILES["embedded"].coreset != 0.5


@pytest.mark.parametrize("name", PROFILES)
def test_every_side_of_every_profile_grows_with_the_scale(name: str) -> None:
    before, scaled = PROFILES[name], find_profile(name, changes=["coreset=0.5", "scale=3"])
    after = _fields(scaled)
    grown = {field: value for field, value in _fields(before).items() if after[field] != value}
    assert grown.pop("scale") == 1
    grown.pop("coreset")
    assert {"preparation.size", "preparation.rgb_size"} <= grown.keys()
    assert {field: after[field] for field in grown} == {field: 3 * value for field, value in grown.items()}
    sides = {field for field, value in after.items() if field.endswith("side") and value is not None}
    assert sides <= grown.keys()
    assert Profile.model_validate_json(scaled.model_dump_json()) == scaled


def test_other_changes_are_of_the_scaled_profile() -> None:
    changed = find_profile("embedded", changes=["preparation.rgb_size=448", "scale=2"])
    assert (changed.preparation.size, changed.preparation.rgb_size) == (448, 448)


@pytest.mark.parametrize("change", ["coreset=2", "nothing=1", "coreset", "banks.rgb.x=1", "name.x=1"])
def test_impossible_changes_are_refused(change: str) -> None:
    with pytest.raises(BadChange):
        find_profile("embedded", changes=[change])


@pytest.mark.parametrize(
    ("profile", "change"),
    [
        ("embedded", "decision=foo"),
        ("embedded", "decision=single"),
        ("embedded", "decision=dlf_published"),
        ("embedded", "false_reject_rate=1"),
        ("embedded", "false_reject_rate=0"),
        ("embedded", "false_reject_rate=-3"),
        ("embedded", "coreset_eps=2"),
        ("embedded", "coreset_eps=0"),
        ("embedded", "coreset_eps=1e-300"),
        ("embedded", "coreset=NaN"),
        ("embedded", "place_sigma=Infinity"),
        ("embedded", "place_sigma=1e9"),
        ("embedded", "preparation.min_points=-5"),
        ("embedded", "preparation.min_points=60000"),
        ("embedded", "preparation.size=3"),
        ("embedded", "preparation.rgb_size=1e9"),
        ("embedded", "preparation.window=1000000000"),
        ("embedded", "preparation.balance=[0, 0, -1]"),
        ("embedded", "banks.rgb.reweighting.neighbours=0"),
        ("embedded", "banks.rgb.reweighting.divisor=0"),
        ("embedded", "banks.rgb.reweighting.divisor=Infinity"),
        ("embedded", "banks.rgb.local_scale=1.5"),
        ("embedded", "extraction.rgb.stages=[9]"),
        ("embedded", "extraction.rgb.stages=[2, 1]"),
        ("embedded", "extraction.rgb.backbone=resnet99"),
        ("embedded", "scale=4"),
        ("embedded", "scale=fine"),
        ("embedded", "extraction.point.side=30"),
        ("embedded", "extraction.point.side=84"),
        ("embedded", "extraction.rgb.side=84"),
        ("embedded", "extraction.relief=null"),
        ("embedded", "extraction.point.settings.stride=16"),
        ("embedded-three", "extraction.point.settings.stride=8"),
        ("embedded-uff", "extraction.training.steps=0"),
        ("embedded-uff", "extraction.training.seed=4294967296"),
        ("embedded-normals", "extraction.normals.smoothing=1e9"),
        ("embedded-point", "banks.point.normalisation=shared"),
        ("autoencoder-rgb", "banks.picture.epochs=0"),
        ("autoencoder-rgb", "preparation.rgb_size=250"),
        ("autoencoder-rgb", "banks.picture.rate=Infinity"),
        ("autoencoder-rgb", "extraction.picture.gain=0"),
        ("autoencoder-rgb", "extraction.picture.smoothing=1e9"),
        ("autoencoder-rgb", "extraction.picture.channels=grey"),
        ("ast", "banks.picture.width=0"),
        ("ast", "extraction.picture.depth_unit=0"),
        ("ast", "extraction.picture.backbone=resnet99"),
        ("ast", "extraction.picture.stages=[9]"),
        ("ast", "extraction.picture.side=25"),
        ("ast", "preparation.size=200"),
        ("ast-depth", "extraction.picture.depth=false"),
        ("stfpm", "banks.picture.stages=[9]"),
        ("padim", "banks.rgb.channels=0"),
        ("padim", "banks.rgb.regulariser=0"),
        ("padim", "banks.rgb.regulariser=Infinity"),
        ("padim", "banks.rgb.axes=0"),
        ("m3dm", "extraction.rgb.stages=[1]"),
        ("m3dm-point", "extraction.point.groups=0"),
    ],
)
def test_what_could_not_be_built_is_refused_by_its_field_in_one_sentence(profile: str, change: str) -> None:
    with pytest.raises(BadChange) as refused:
        find_profile(profile, changes=[change])
    said = str(refused.value)
    assert change.partition("=")[0].rpartition(".")[2] in said.partition(": ")[2]
    kinds = (*KINDS, *PICTURES, *BY_METHOD)
    assert not any(f".{kind}" in said for kind in kinds), "a word that is no field of the document"
    assert "\n" not in said
    assert "http" not in said, "pydantic's own reference helps nobody here"


def test_the_named_rules_are_those_that_can_be_fitted() -> None:
    assert set(get_args(Rule)) == set(RULES)


def test_the_table_knows_how_many_stages_each_backbone_has() -> None:
    for backbone in BACKBONES.values():
        with torch.device("meta"):
            network: Any = timm.create_model(backbone.model)
        stages = 0 if backbone.kind == "tokens" else len(network.feature_info)
        stages = len(network.blocks) + 1 if backbone.every_group else stages
        assert backbone.count == stages, backbone.name


def test_the_five_point_settings_of_the_supplement() -> None:
    found = {
        name: (network.group_size, network.groups, network.side)
        for name, profile in PROFILES.items()
        if name.startswith("point-") and isinstance(network := profile.extraction.point, PointNetwork)
    }
    del found["point-bert"]
    assert found == {
        "point-64x784-groups": (64, 784, None),
        "point-128x1024-groups": (128, 1024, None),
        "point-64x784-8x8": (64, 784, 28),
        "point-128x1024-8x8": (128, 1024, 28),
        "point-128x1024-4x4": (128, 1024, 56),
    }
    ours = PROFILES["point-128x1024-4x4"].model_dump(exclude={"name", "summary"})
    assert ours == PROFILES["m3dm-point"].model_dump(exclude={"name", "summary"})


def test_point_groups_feed_no_fused_bank_and_say_so() -> None:
    with pytest.raises(BadChange, match="point bank only"):
        find_profile("m3dm", changes=["extraction.point.side=null"])
    two = find_profile("m3dm-two", changes=["extraction.point.side=null"])
    assert list(two.banks) == ["rgb", "point"]


def test_a_bank_has_the_settings_of_its_method() -> None:
    profile = find_profile("autoencoder-rgb", changes=["banks.picture.epochs=3"])
    assert profile.recipe("picture", AutoencoderRecipe).epochs == 3
    with pytest.raises(TypeError, match="BankRecipe"):
        profile.recipe("picture", BankRecipe)
    with pytest.raises(BadChange, match="picture bank"):
        find_profile("m3dm-rgb", changes=['banks.rgb={"method": "autoencoder"}'])
    for profile, method in (("ast", "stfpm"), ("autoencoder-rgb", "ast")):
        with pytest.raises(BadChange, match="picture of cells"):
            find_profile(profile, changes=[f'banks.picture={{"method": "{method}"}}'])


def test_any_bank_can_be_by_padim_where_its_patches_have_places() -> None:
    two = find_profile("m3dm-two", changes=['banks.point={"method": "padim", "channels": 50}'])
    assert two.recipe("point", PadimRecipe).channels == 50
    with pytest.raises(TypeError, match="PadimRecipe"):
        two.recipe("rgb", PadimRecipe)
    with pytest.raises(BadChange, match="grid"):
        find_profile("point-64x784-groups", changes=['banks.point={"method": "padim"}'])


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(UnknownProfile, match="embedded"):
        find_profile("m4dm")


PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"


def test_the_page_lists_every_profile() -> None:
    listed = [
        line
        for line in PAGE.read_text().splitlines()
        if line.startswith(tuple(f"| `{p}` |" for p in PROFILES))
    ]
    assert listed == [_line(profile) for profile in PROFILES.values()]


def _line(profile: Profile) -> str:
    extraction = profile.extraction
    weights = " ".join(f"`{name}`" for name in extraction.weights()) or "none"
    cells = (" ".join(profile.banks), extraction.fusion or "none", profile.decision, weights, profile.summary)
    return f"| `{profile.name}` | {' | '.join(cells)} |"


def test_the_page_names_every_field_in_which_the_two_modes_differ() -> None:
    differing: set[str] = set()
    for name in PROFILES:
        if f"{name}-paper-code" in PROFILES:
            text, code = (_fields(PROFILES[which]) for which in (name, f"{name}-paper-code"))
            differing |= {_BANK.sub("banks.*", field) for field in text if text[field] != code[field]}
    table = re.findall(r"^\| `([a-z_.*]+)` \|", PAGE.read_text().partition("## Where")[2], re.MULTILINE)
    assert differing - {"name", "summary"} == set(table)


_BANK = re.compile(r"^banks\.\w+")


def _fields(profile: Profile) -> dict[str, Any]:
    """Leaves by dotted name."""

    def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
        if not isinstance(value, dict):
            yield path, value
            return
        for key, inner in value.items():
            yield from leaves(f"{path}.{key}".lstrip("."), inner)

    return dict(leaves("", profile.model_dump(mode="json")))
