"""Every change that the API can make is on record: who, when, what, before and after."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from banks.decision.odd_parts import OddPart
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from cli.main import app
from service.http.keys import Keys
from service.http.roles import changes_something
from service.records.audit import Audit, ChangeFilter
from service.settings import Settings
from tests.conftest import SMALL
from tests.service.api.test_versions import PRODUCT, derive
from tests.service.document import document
from tests.waiting import until


def _give_odd_part(store: BankStore, version: str, part: str) -> None:
    folder = store.path(SMALL, version)
    manifest = Manifest.read(folder)
    odd = OddPart(part, 2 * manifest.calibration.threshold, 1.0)
    changed = {"calibration": replace(manifest.calibration, odd=(odd,))}
    manifest.model_copy(update=changed).write(folder)


@pytest.fixture
def store(small_banks: Path, tmp_path: Path) -> BankStore:
    """Versions v1 (active), v2, and v3 with an odd part."""
    shutil.copytree(small_banks, tmp_path / "banks")
    for version in ("v2", "v3"):
        derive(tmp_path / "banks", version)
    store = BankStore(tmp_path / "banks")
    _give_odd_part(store, "v3", "train/good/003")
    return store


def test_every_change_has_its_row(
    serve: Callable[..., Any], store: BankStore, small_product: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    boss = {"X-API-Key": Keys(state).add("boss", "manage")}
    good = small_product / "test/good"
    part = {"rgb": (good / "rgb/000.png").read_bytes(), "xyz": (good / "xyz/000.tiff").read_bytes()}
    files = [("file", (f"1.{kind}", part[field])) for kind, field in (("png", "rgb"), ("tiff", "xyz"))]
    settings = Settings(banks=store.root, parts_dir=small_product.parent, deadline_s=120)
    with serve(settings, None, state=state) as running, running.client(headers=boss) as client:
        scored = client.post(f"{PRODUCT}/score", files=part).json()
        name, once = scored["result_id"], scored["threshold"]
        twice = 2 * once
        job = client.post(f"{PRODUCT}/batch", files=files, headers={"Prefer": "respond-async"})
        job_id = job.json()["job_id"]
        client.get(f"/v1/jobs/{job_id}/events")
        version = f"{PRODUCT}/versions/{{version}}"
        feedback, job_path = "/v1/results/{result_id}/feedback", "/v1/jobs/{job_id}"
        moved = {"threshold": twice}
        archive = client.get(f"{PRODUCT}/versions/v1/archive").content
        steps: list[tuple[str, str, dict[str, str], Any, tuple[str, Any, Any]]] = [
            ("PUT", feedback, {}, {"verdict": "good", "note": "dust"}, ("judge", None, "good")),
            ("DELETE", feedback, {}, None, ("judge", "good", None)),
            ("POST", f"{version}/activate", {"version": "v2"}, None, ("activate", "v1", "v2")),
            ("POST", f"{PRODUCT}/rollback", {}, None, ("rollback", "v2", "v1")),
            ("PUT", f"{PRODUCT}/shadow", {}, {"version": "v2"}, ("shadow", None, "v2")),
            ("DELETE", f"{PRODUCT}/shadow", {}, None, ("end_shadow", "v2", None)),
            (
                "PUT",
                f"{version}/threshold",
                {"version": "v1"},
                moved,
                ("threshold", once, twice),
            ),
            (
                "DELETE",
                f"{version}/threshold",
                {"version": "v1"},
                None,
                ("threshold", twice, once),
            ),
            (
                "PUT",
                f"{version}/odd-parts",
                {"version": "v3"},
                {"part": "train/good/003", "review": "good"},
                ("review", None, "good"),
            ),
            ("POST", f"{PRODUCT}/versions", {}, archive, ("upload", None, None)),
            ("PUT", f"{version}/pin", {"version": "v2"}, None, ("pin", False, True)),
            ("DELETE", f"{version}/pin", {"version": "v2"}, None, ("unpin", True, False)),
            ("DELETE", version, {"version": "v2"}, None, ("delete", None, None)),
            ("POST", f"{PRODUCT}/builds", {}, {"folder": small_product.name}, ("build", None, None)),
            ("POST", f"{job_path}/cancel", {"job_id": "the build"}, None, ("cancel_job", None, None)),
            ("DELETE", job_path, {"job_id": job_id}, None, ("delete_job", "done", None)),
            ("DELETE", f"{PRODUCT}?confirm={SMALL}", {}, None, ("delete_product", "v1", None)),
            ("PUT", PRODUCT, {}, None, ("create_product", None, None)),
        ]
        done, build = set(), ""
        for method, path, names, body, (action, before, after) in steps:
            values = {"result_id": name, "job_id": job_id} | names
            values = {key: build if value == "the build" else value for key, value in values.items()}
            if action == "delete_product":
                until(
                    lambda: (
                        not any(
                            one["state"] in ("queued", "running")
                            for one in client.get("/v1/jobs").json()["jobs"]
                        )
                    ),
                    "the end of the build",
                )
            tar = {"content": body, "headers": {"Content-Type": "application/x-tar"}}
            given = tar if isinstance(body, bytes) else {"json": body}
            answer = client.request(method, path.format(**values), **given)
            assert answer.is_success, (path, answer.text)
            build = answer.json()["job_id"] if path.endswith("/builds") else build
            done.add(f"{method} {path.partition('?')[0].replace(SMALL, '{product}')}")
            row = client.get("/v1/audit", params={"action": action, "limit": 1}).json()["changes"][0]
            word = {"judge": "verdict", "threshold": "threshold", "review": "review", "delete_job": "state"}
            word |= {"shadow": "shadow", "end_shadow": "shadow", "pin": "pinned", "unpin": "pinned"}
            key = word.get(action, "active")
            assert (row["before"].get(key), row["after"].get(key)) == (before, after), (path, row)
            assert (row["who"], row["product"]) == ("key boss", SMALL)
            assert row["request_id"] == answer.headers["x-request-id"]
            assert row["address"] == "127.0.0.1"
        assert done == {
            f"{method.upper()} {path}"
            for path, operations in document()["paths"].items()
            for method in operations
            if changes_something(method.upper(), path)
        }
        listed = client.get("/v1/audit").json()
        assert [one["number"] for one in listed["changes"]] == list(range(len(steps), 0, -1))
        page = client.get("/v1/audit", params={"limit": 5}).json()
        assert client.get("/v1/audit", params={"before": page["next"]}).json()["changes"][0]["number"] == (
            len(steps) - 5
        )
        table = list(csv.DictReader(io.StringIO(client.get("/v1/audit.csv").text)))
        assert [int(row["number"]) for row in table] == list(range(len(steps), 0, -1))
        assert json.loads(table[-1]["after"]) == {"note": "dust", "verdict": "good"}
        refused = client.post(f"{PRODUCT}/versions/v9/activate")
        assert refused.status_code == 404
        assert client.get("/v1/audit").json() == listed, "what was refused changed nothing"


def test_a_change_that_cannot_be_recorded_is_made_logged_and_counted(
    own: Any, part: dict[str, bytes]
) -> None:
    with own.client() as client:
        name = client.post("/v1/products/cookie/score", files=part).json()["result_id"]
        with closing(sqlite3.connect(own.state / "audit.sqlite")) as db:
            db.execute("DROP TABLE changes")
        judged = client.put(f"/v1/results/{name}/feedback", json={"verdict": "good"})
        assert judged.json()["verdict"] == "good"
        assert judged.json()["judged_by"] == "address 127.0.0.1"
        assert "tribank_changes_not_recorded_total 1.0" in client.get("/metrics").text
    (line,) = [line for line in own.log if line["event"] == "change_not_recorded"]
    assert (line["change"]["action"], line["change"]["after"]["verdict"]) == ("judge", "good")


@pytest.fixture
def own(serve: Callable[..., Any], loader: Any, tmp_path: Path) -> Any:
    with serve(Settings(banks=tmp_path / "banks"), loader, state=tmp_path / "state") as running:
        running.state = tmp_path / "state"
        yield running


def test_who_judged_is_with_the_verdict(own: Any, part: dict[str, bytes]) -> None:
    with own.client() as client:
        name = client.post("/v1/products/cookie/score", files=part).json()["result_id"]
        judged = f"/v1/results/{name}/feedback"
        assert client.put(judged, json={"verdict": "good"}).json()["judged_by"] == "address 127.0.0.1"
        row = next(csv.DictReader(io.StringIO(client.get("/v1/results.csv").text)))
        assert row["judged_by"] == "address 127.0.0.1"
        assert client.delete(judged).json()["judged_by"] is None


def test_a_command_that_adds_or_revokes_a_key_is_on_record(tmp_path: Path) -> None:
    run = CliRunner()
    add = ["keys", "add", "line", "--role", "read", "--product", "tile", "--days", "30"]
    assert run.invoke(app, [*add, "--state", str(tmp_path)]).exit_code == 0
    assert run.invoke(app, ["keys", "revoke", "line", "--state", str(tmp_path)]).exit_code == 0
    audit = Audit(tmp_path)
    audit.open()
    (_, revoked), (_, added) = audit.newest(ChangeFilter())
    audit.close()
    assert (added.action, added.subject, added.after["role"]) == ("add_key", "line", "read")
    assert added.after["products"] == ["tile"]
    assert (revoked.action, revoked.subject) == ("revoke_key", "line")
    assert added.who.startswith("user ")
