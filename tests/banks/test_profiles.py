"""Profiles are data: each is complete, survives being stored, and can be changed by field."""

from __future__ import annotations

import pytest

from banks.profile import Profile
from banks.profiles import DEFAULT_PROFILE, PROFILES, BadChange, UnknownProfile, find_profile
from models.point_transformer import PointNetwork


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_survives_the_manifest(name: str) -> None:
    profile = PROFILES[name]
    assert profile.name == name
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_the_default_needs_no_download() -> None:
    assert PROFILES[DEFAULT_PROFILE].extraction.weights() == ("efficientnet_lite1",)


def test_both_modes_of_every_bank_setting() -> None:
    ours = [name for name in PROFILES if name.startswith("m3dm") and not name.endswith("paper-code")]
    assert len(ours) == 7
    for name in ours:
        published = PROFILES[f"{name}-paper-code"]
        assert published.banks.keys() == PROFILES[name].banks.keys()
        assert published.blur == "pil8"


def test_changes() -> None:
    changed = find_profile("embedded", prepared=True, changes=["coreset=0.5", "preparation.size=112"])
    assert changed.coreset == 0.5
    assert changed.preparation.size == 112
    assert changed.preparation.background == "none"
    assert PROFILES["embedded"].coreset != 0.5


@pytest.mark.parametrize("change", ["coreset=2", "nothing=1", "coreset", "banks.rgb.x=1", "name.x=1"])
def test_impossible_changes_are_refused(change: str) -> None:
    with pytest.raises(BadChange):
        find_profile("embedded", changes=[change])


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


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(UnknownProfile, match="embedded"):
        find_profile("m4dm")
