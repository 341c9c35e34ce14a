"""The client that openapi-python-client makes of docs/openapi.json, against a real server."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
NAME = "generated_tribank_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, which can be imported."""
    folder = tmp_path_factory.mktemp("generated")
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")  # the hooks are linters
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", DOCUMENT, "--output-path", folder / NAME, "--config", config]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield NAME
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def test_the_generated_client_scores_a_part_and_reads_a_refusal(
    generated: str, server: Any, bad_part: dict[str, bytes]
) -> None:
    def module(name: str) -> Any:
        return importlib.import_module(f"{generated}.{name}")

    def file(name: str) -> Any:
        return module("types").File(io.BytesIO(bad_part[name]), file_name=name)

    score_part = module("api.scoring.score_part").sync
    body = module("models.part_form").PartForm(rgb=file("rgb"), xyz=file("xyz"))
    with module("client").Client(server.url) as client:
        answer = score_part("cookie", client=client, body=body, part_id="board-000123")
        refused = score_part("nothing", client=client, body=body)
    assert (answer.part_id, answer.decision, answer.product) == ("board-000123", "defective", "cookie")
    assert answer.score > answer.threshold
    box = answer.regions[0].box
    assert 0 < (box.right - box.left) * (box.bottom - box.top) >= answer.regions[0].area
    assert (refused.status, refused.code) == (404, "unknown_product")
