"""The limits of the readers follow the environment, and the server's settings are the same."""

from __future__ import annotations

import dataclasses

import pytest

from models.readers import ReadLimits
from models.readers.limits import BadLimit, limits_of
from service.settings import Settings

NAMES = ("rgb_bytes", "rgb_pixels", "xyz_bytes", "xyz_pixels")


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_sets_each_limit(name: str) -> None:
    expected = dataclasses.replace(ReadLimits(), **{name: 1234})
    assert limits_of({f"TRIBANK_MAX_{name.upper()}": "1234"}) == expected
    assert limits_of({f"TRIBANK_MAX_{name.upper()}": ""}) == ReadLimits()


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e6"])
def test_another_text_is_refused_with_the_variables_name(text: str) -> None:
    with pytest.raises(BadLimit, match=r"TRIBANK_MAX_XYZ_PIXELS must be a whole number"):
        limits_of({"TRIBANK_MAX_XYZ_PIXELS": text})


def test_server_and_commands_have_the_same_defaults() -> None:
    fields = Settings.model_fields
    limits = ReadLimits()
    assert [fields[f"max_{name}"].default for name in NAMES] == [getattr(limits, name) for name in NAMES]


def test_todays_cameras_fit() -> None:
    limits, body = ReadLimits(), Settings.model_fields["max_body_bytes"].default
    cloud, image = 2816 * 2816, 5328 * 4608
    assert cloud <= limits.xyz_pixels
    assert image <= limits.rgb_pixels
    assert 12 * cloud <= limits.xyz_bytes
    assert 24 * cloud <= limits.decoded_bytes  # as float64
    assert 6 * image <= limits.decoded_bytes  # 16-bit colour
    assert 15 * cloud <= body
