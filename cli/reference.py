"""`tribank reference`: the page docs/reference.md, from the settings and from the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from recipes.places import DEFAULT_BANKS, DEFAULT_STATE
from service.settings import MIB, PREFIX, Settings

RENEW = "tribank reference --output docs/reference.md"
"""The command that writes the committed page again."""
_HEAD = f"""# Reference

This page lists every setting of the server and every route of the API. `{RENEW}`
writes this page from the code, and a test compares the page with the code. [api.md](api.md) shows the routes
in use. [openapi.json](openapi.json) describes the API for programs.
"""
_SETTINGS = """
## Settings

A setting is an environment variable of the server. Some settings are options of `tribank serve` too. An
option wins over its variable. 1 MiB is 1,048,576 bytes.

| variable | default | unit | meaning |
|---|---|---|---|
"""
_ROUTES = """
## Routes

Every refusal is a [Problem](#problem), and below `/v2` a [V2Error](#v2error).
"""
_PARAMETERS = """
## Parameters of the query

| parameter | routes | meaning |
|---|---|---|
"""
_FORMS = """
## Forms of answers and bodies

`?` means that the field may be null or missing.
"""
_CODES = """
## Codes of problems

`code` of a [Problem](#problem). Below `/v2` the code is in the header `Tribank-Code`. "Send again" says
whether the same request can succeed later, unchanged. New codes may be added:
treat an unknown code by its status.

| code | meaning | send again |
|---|---|---|
"""
_UNITS = {
    "_bytes_per_s": "bytes a second",
    "_bytes": "bytes",
    "_mb": "MiB",
    "_days": "days",
    "_s": "seconds",
}
"""The ending of a setting's name, and the unit that the ending stands for."""
_PLACES = {DEFAULT_BANKS: "~/.local/share/tribank/banks", DEFAULT_STATE: "~/.local/state/tribank"}
"""How a person writes the two folders of a user's own."""


def reference(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; else print.")] = None,
) -> None:
    """Write the reference of all settings and all routes, as Markdown."""
    from service.app import create_app
    from service.settings import read_settings

    page = reference_page(create_app(read_settings(host="localhost")).openapi())
    if output is None:
        typer.echo(page, nl=False)
    else:
        output.write_text(page, encoding="utf-8")


def reference_page(document: Mapping[str, Any]) -> str:
    """The page. document: the OpenAPI document of the server."""
    parts = [
        _HEAD,
        _SETTINGS + "".join(_setting_rows()),
        _ROUTES + "".join(_routes(document)),
        _PARAMETERS + "".join(_parameter_rows(document)),
        _CODES + "".join(_code_rows(document)),
        _FORMS + "".join(_forms(document)),
    ]
    return "".join(parts)


def _row(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |\n"


def _setting_rows() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
        yield _row(
            f"`{PREFIX}{name.upper()}`", _default(field.default, unit), unit, str(field.description or "")
        )


def _default(value: object, unit: str) -> str:
    """A setting's default, as its variable would say it."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Path):
        return f"`{_PLACES.get(value, value)}`"
    if unit == "bytes" and isinstance(value, int) and value % MIB == 0:
        return f"{value} ({value // MIB} MiB)"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every route, such as "GET /v1/products", with what the document says of it."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def _routes(document: Mapping[str, Any]) -> Iterator[str]:
    """For every tag of the document a table of its routes."""
    for tag in document["tags"]:
        yield f"\n### {tag['name'].capitalize()}\n\n{tag['description']}\n\n"
        yield "| route | what it does | answer | refused with |\n|---|---|---|---|\n"
        for route, operation in _operations(document):
            if tag["name"] in operation["tags"]:
                refused = ", ".join(status for status in operation["responses"] if status >= "400")
                yield _row(f"`{route}`", operation["description"], _answers(operation), refused)


def _answers(operation: Mapping[str, Any]) -> str:
    """The statuses of success, each with the form of its JSON where that has a name."""
    answers: list[str] = []
    for status, response in operation["responses"].items():
        if status < "400":
            schema = response.get("content", {}).get("application/json", {}).get("schema", {})
            answers.append(f"{status} {_kind(schema)}" if "$ref" in schema else status)
    return ", ".join(answers)


def _parameter_rows(document: Mapping[str, Any]) -> Iterator[str]:
    """One row for every name and meaning; a name that means two things has two rows."""
    routes: dict[tuple[str, str], list[str]] = {}
    for route, operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                meaning = (parameter["name"], parameter["description"])
                routes.setdefault(meaning, []).append(f"`{route}`")
    for (name, description), where in sorted(routes.items()):
        yield _row(f"`{name}`", ", ".join(where), description)


def _code_rows(document: Mapping[str, Any]) -> Iterator[str]:
    """One row for every code of a problem."""
    for code in document["x-problem-codes"]:
        yield _row(f"`{code['code']}`", code["meaning"], "yes" if code["may_be_retried"] else "no")


def _forms(document: Mapping[str, Any]) -> Iterator[str]:
    """For every form of the document a table of its fields."""
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"\n### {name}\n\n{' '.join(schema.get('description', '').split())}\n\n"
        if "properties" not in schema:
            yield f"{_kind(schema)}\n"
            continue
        yield "| field | type | meaning |\n|---|---|---|\n"
        for field, form in schema["properties"].items():
            yield _row(f"`{field}`", _kind(form), form.get("description", ""))


def _kind(schema: Mapping[str, Any]) -> str:
    """The type of a schema in a few words, such as "number?" or "list of [RegionAnswer](#regionanswer)"."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if options := schema.get("anyOf", schema.get("oneOf")):
        kinds = [_kind(option) for option in options if option.get("type") != "null"]
        return " or ".join(kinds) + ("?" if len(kinds) < len(options) else "")
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return f"object of {_kind(values)}"
    return schema.get("format", schema.get("type", "any"))
