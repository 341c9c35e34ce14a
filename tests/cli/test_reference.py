"""docs/reference.md: every setting, route and form, as the code has them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.reference import RENEW, reference_page
from service.settings import Settings
from tests.reader import ROOT

PAGE = (ROOT / "docs" / "reference.md").read_text()
API: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())


def test_the_committed_page_is_what_the_command_writes() -> None:
    made = CliRunner().invoke(app, ["reference"], catch_exceptions=False).stdout
    if made != PAGE:
        pytest.fail(f"docs/reference.md is old. Run: {RENEW}")


def test_every_setting_has_a_default_and_a_sentence() -> None:
    rows = dict(re.findall(r"^\| `TRIBANK_(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert list(rows) == [name.upper() for name in Settings.model_fields]
    for row in rows.values():
        default, _, meaning = (cell.strip() for cell in row.split(" | "))
        assert default
        assert meaning.endswith(".")


def test_every_route_and_every_form_is_on_the_page() -> None:
    page = reference_page(API)
    routes = {f"{method.upper()} {path}" for path, found in API["paths"].items() for method in found}
    assert set(re.findall(r"^\| `([A-Z]+ /\S*)` \|", page, re.MULTILINE)) == routes
    assert set(re.findall(r"^### ([A-Z]\w+)$", page, re.MULTILINE)) >= set(API["components"]["schemas"])
