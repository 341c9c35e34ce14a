from __future__ import annotations

from pathlib import Path

from service.settings import OF_OTHERS, Settings, unknown_names

ROOT = Path(__file__).parents[2]


def test_mistyped_names_are_found_with_what_was_meant() -> None:
    environment = {"TRIBANK_MAX_INFLIGHT": "4", "tribank_port": "80", "TRIBANK_XYZZY_Q": "", "PATH": "/bin"}
    assert unknown_names(environment) == {
        "TRIBANK_MAX_INFLIGHT": "TRIBANK_MAX_IN_FLIGHT",
        "TRIBANK_XYZZY_Q": None,
    }


def test_every_setting_and_what_others_read_is_known() -> None:
    assert unknown_names([*OF_OTHERS, *(f"TRIBANK_{field.upper()}" for field in Settings.model_fields)]) == {}
    sources = [
        *(ROOT / name for name in ("docker-compose.yml", "scripts/setup")),
        *(ROOT / "evaluation").glob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    read = "".join(source.read_text() for source in sources)
    assert {name for name in OF_OTHERS if name in read} == OF_OTHERS
