"""Requests that schemathesis makes of the API's own document, sent to a real server."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.service.document import document

# Not among them: that what fits the document is accepted (a schema cannot say that bytes are a picture of a
# part), and whatever needs keys, which this server has none of (tests/service/http/test_keys.py).
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    negative_data_rejection,
]

# Any refusal is one: by default 413, of a form with too many fields, would not be.
REFUSED = {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx", "5xx"]}}}


DOCUMENT: Any = schemathesis.openapi.from_dict(
    deepcopy(document()), config=SchemathesisConfig.from_dict(REFUSED)
)


ARCHIVE = "application/x-tar"


@schemathesis.serializer(ARCHIVE)
def _an_archive_is_bytes(context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


OPERATIONS = [found.ok() for found in DOCUMENT.get_all_operations()]
OPERATIONS = [found for found in OPERATIONS if found.label != "GET /v1/results/events"]  # which has no end
CASES = [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
# A path takes any text and an archive is any bytes, so only queries and other bodies can be other than the
# document says.
CASES += [
    (found, GenerationMode.NEGATIVE)
    for found in OPERATIONS
    if found.query or any(body.media_type != ARCHIVE for body in found.body)
]


@DOCUMENT.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> Any:
    """Every other request is of the product and the version that are there."""
    known = {"product": "cookie", "version": "v1"}
    return {
        name: known[name] if name in known and len(str(value)) % 2 else value
        for name, value in (path_parameters or {}).items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=[f"{operation.label}-{mode.value}" for operation, mode in CASES]
)
def test_every_answer_is_as_the_document_says(server: Any, operation: Any, mode: GenerationMode) -> None:
    @settings(
        max_examples=10,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=server.url, checks=CHECKS, timeout=20)

    ask()
