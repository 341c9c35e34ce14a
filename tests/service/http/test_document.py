from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app as commands
from cli.reference import RENEW as REFERENCE
from service.app import create_app
from service.http.codes import CODES
from service.http.document import RENEW
from service.http.streams import NDJSON
from service.settings import Settings

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield f"{method} {path}", operation


def test_the_committed_document_is_the_services(tmp_path: Path) -> None:
    arguments = RENEW.removeprefix("tribank ").replace("docs", str(tmp_path)).split()
    assert CliRunner().invoke(commands, arguments).exit_code == 0
    made = (tmp_path / "openapi.json").read_text()
    assert CliRunner().invoke(commands, ["openapi"]).stdout == made
    if made != COMMITTED.read_text():
        pytest.fail(f"docs/openapi.json is old. Run: {RENEW} && {REFERENCE}")


def test_the_document_does_not_depend_on_settings(
    document: dict[str, Any], strict_settings: Settings, tmp_path: Path
) -> None:
    changes = {
        "parts_dir": tmp_path,
        "state": tmp_path,
        "max_batches": 1,
        "results_days": 1,
        "device": "cuda",
    }
    assert create_app(strict_settings.model_copy(update=changes)).openapi() == document


def test_every_operation_is_described_and_named_once(document: dict[str, Any]) -> None:
    names = []
    for where, operation in operations(document):
        assert operation["description"], where
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}, where
        names.append(operation["operationId"])
    assert len(set(names)) == len(names)


def test_every_parameter_is_described_with_an_example(document: dict[str, Any]) -> None:
    for where, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (where, parameter["name"])
            assert parameter.get("examples") or parameter["schema"].get("examples"), (
                where,
                parameter["name"],
            )


def test_every_refusal_has_its_form(document: dict[str, Any]) -> None:
    for where, operation in operations(document):
        for status, response in operation["responses"].items():
            if status < "400":
                continue
            (media_type, content), *others = response["content"].items()
            assert not others
            expected = (
                ("application/json", "V2Error")
                if " /v2" in where
                else ("application/problem+json", "Problem")
            )
            assert (media_type, content["schema"]["$ref"].rpartition("/")[2]) == expected, where
        if operation.get("security") != []:
            assert {"401", "403", "429", "500"} <= set(operation["responses"]), where


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r"'\$ref': '([^']+)'", str(document))):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in document["components"][kind]
    assert "HTTPValidationError" not in str(document)
    assert "prefixItems" not in str(document), "no generator knows tuples: give the numbers names"


def test_bodies_and_lines_are_components(document: dict[str, Any]) -> None:
    """A generated client makes one class of a body with a name, however many routes take it."""
    for where, operation in operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            file = content["schema"].get("format") == "binary"
            assert file or list(content["schema"]) == ["$ref"], (where, media_type)
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                assert media_type != NDJSON or list(content["itemSchema"]) == ["$ref"], (where, status)


def test_every_answer_has_its_headers(document: dict[str, Any]) -> None:
    for where, operation in operations(document):
        for status, response in operation["responses"].items():
            headers = set(response["headers"])
            assert {"X-Request-ID"} <= headers <= set(document["components"]["headers"]), where
            assert ("Retry-After" in headers) >= (status in ("429", "503")), where
            assert ("Tribank-Code" in headers) == (" /v2" in where and status >= "400"), where


def test_every_code_is_published_with_its_meaning(document: dict[str, Any]) -> None:
    published = {code["code"]: code for code in document["x-problem-codes"]}
    assert list(published) == list(CODES)
    assert published["overloaded"]["may_be_retried"]
    assert not published["size_mismatch"]["may_be_retried"]
    code = document["components"]["schemas"]["Problem"]["properties"]["code"]
    assert code["x-extensible-enum"] == list(CODES)


_VERSION = "/v1/products/{product}/versions/{version}"


@pytest.mark.parametrize(
    ("where", "statuses"),
    [
        ("get /v1/products/{product}/versions", {"409", "503"}),
        ("delete /v1/products/{product}/shadow", {"409", "507"}),
        ("delete /v1/products/{product}", {"507"}),
        (f"delete {_VERSION}", {"507"}),
        (f"put {_VERSION}/threshold", {"507", "415"}),
        (f"delete {_VERSION}/threshold", {"507"}),
        (f"put {_VERSION}/odd-parts", {"507", "415"}),
        ("put /v1/products/{product}/shadow", {"415"}),
        ("put /v1/results/{result_id}/feedback", {"415"}),
    ],
)
def test_what_store_and_body_refuse_is_listed(
    document: dict[str, Any], where: str, statuses: set[str]
) -> None:
    assert statuses <= set(dict(operations(document))[where]["responses"])


def test_headers_that_choose_the_answer_are_parameters(document: dict[str, Any]) -> None:
    found = dict(operations(document))

    def sent(where: str) -> set[str]:
        return {one["name"] for one in found[where]["parameters"] if one["in"] == "header"}

    assert sent("post /v1/products/{product}/batch") == {"Idempotency-Key", "Prefer"}
    for model in ("/v2/models/{product}", "/v2/models/{product}/versions/{version}"):
        assert sent(f"post {model}/infer") == {"Inference-Header-Content-Length"}
