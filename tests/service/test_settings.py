from __future__ import annotations

from inspect import signature
from pathlib import Path

import pytest

from cli import banks as banks_commands
from cli import keys as keys_commands
from cli import main as commands_of_all
from evaluation.bench.part import bench
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE
from service.app import create_app
from service.setting_lists import seconds_by_product
from service.settings import BadSetting, Settings, read_settings
from service.unknown_settings import NOT_SETTINGS, unknown_names

ROOT = Path(__file__).parents[2]


def test_mistyped_names_are_found_with_what_was_meant() -> None:
    environment = {"TRIBANK_MAX_INFLIGHT": "4", "tribank_port": "80", "TRIBANK_XYZZY_Q": "", "PATH": "/bin"}
    assert unknown_names(environment) == {
        "TRIBANK_MAX_INFLIGHT": "TRIBANK_MAX_IN_FLIGHT",
        "TRIBANK_XYZZY_Q": None,
    }


def test_commands_and_the_server_look_in_the_same_places_wherever_they_are_called() -> None:
    fields = Settings.model_fields
    assert (fields["banks"].default, fields["state"].default) == (DEFAULT_BANKS, DEFAULT_STATE)
    assert DEFAULT_BANKS.is_absolute()
    assert DEFAULT_STATE.is_absolute()
    commands = [keys_commands.add, keys_commands.list_keys, keys_commands.revoke, commands_of_all.serve]
    assert {signature(command).parameters["state"].default for command in commands} == {DEFAULT_STATE}
    commands = [banks_commands.list_banks, commands_of_all.build, commands_of_all.serve, bench]
    assert {signature(command).parameters["banks"].default for command in commands} == {DEFAULT_BANKS}


def test_each_wrong_setting_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIBANK_MAX_JOBS", "abc")
    monkeypatch.setenv("TRIBANK_LOAD", "never")
    with pytest.raises(BadSetting) as refused:
        read_settings(port=70_000)
    said = str(refused.value).splitlines()
    assert [line.split(" ")[0] for line in said] == ["TRIBANK_PORT", "TRIBANK_LOAD", "TRIBANK_MAX_JOBS"]


def test_every_setting_and_what_others_read_is_known() -> None:
    assert (
        unknown_names([*NOT_SETTINGS, *(f"TRIBANK_{field.upper()}" for field in Settings.model_fields)]) == {}
    )
    sources = [
        *(ROOT / name for name in ("docker-compose.yml", "scripts/setup")),
        *(ROOT / "evaluation").rglob("*.py"),
        *(ROOT / "cli").glob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    read = "".join(source.read_text() for source in sources)
    assert {name for name in NOT_SETTINGS if name in read} == NOT_SETTINGS


def test_builds_on_nodes_need_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="TRIBANK_CLUSTER"):
        create_app(Settings(build_on="nodes", banks=tmp_path, state=tmp_path))


def test_takts_are_seconds_by_product() -> None:
    assert seconds_by_product(Settings(takts="cookie:2.5, tile:1").takts) == {"cookie": 2.5, "tile": 1.0}
    for text in ("cookie", "cookie:", ":2", "cookie:-1", "cookie:inf", "cookie:x"):
        with pytest.raises(BadSetting):
            read_settings(takts=text)
