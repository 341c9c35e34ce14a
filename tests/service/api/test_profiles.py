"""Profiles over HTTP, as the command lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.weights.folder import missing_weights
from recipes.profiles import DEFAULT_PROFILE, PROFILES
from service.settings import Settings


def test_profiles_are_listed_with_the_weights_that_are_missing(
    serve: Callable[..., Any], loader: Any, tmp_path: Path
) -> None:
    settings = Settings(banks=tmp_path, weights=tmp_path)
    with serve(settings, loader) as running, running.client() as client:
        listed = {one["name"]: one for one in client.get("/v1/profiles").json()["profiles"]}
    assert list(listed) == list(PROFILES)
    assert [name for name, one in listed.items() if one["default"]] == [DEFAULT_PROFILE]
    assert listed[DEFAULT_PROFILE]["missing_weights"] == []
    assert listed["m3dm"]["banks"] == ["rgb", "point", "fused"]
    for name, one in listed.items():
        assert one["missing_weights"] == missing_weights(tmp_path, PROFILES[name].extraction.weights())
    assert listed["m3dm"]["missing_weights"]
