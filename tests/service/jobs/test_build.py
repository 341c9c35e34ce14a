"""Building versions through a real server, by the real command in a process of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from service import commands
from service.commands import LocalCommands
from service.exit_status import EXIT_FULL
from service.settings import Settings
from tests.conftest import SMALL
from tests.faults import small_disk
from tests.faults.warm import Warm
from tests.waiting import until

pytestmark = pytest.mark.slow
ZIP = {"Content-Type": "application/zip"}
QUICK = {"profile": "embedded-point"}


def zipped(folder: Path, *below: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for place in below:
            for path in sorted((folder / place).rglob("*")):
                archive.write(path, path.relative_to(folder.parent).as_posix())
    return file.getvalue()


def events(client: httpx.Client, answer: httpx.Response) -> list[dict[str, Any]]:
    """What the job tells until it ends."""
    assert answer.status_code == 202, answer.text
    told = client.get(f"{answer.headers['location']}/events", timeout=120).text
    return [json.loads(line) for line in told.splitlines()]


def ended(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """The last thing that the job tells."""
    return events(client, answer)[-1]


def children() -> list[str]:
    """Command lines of the builds that run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if parent == str(os.getpid()) and "--no-activate" in words:
            found.append(" ".join(words))
    return found


@pytest.fixture(scope="module")
def settings(small_banks: Path, small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of the small product's banks, and its folder as the one that is meant for parts."""
    banks = tmp_path_factory.mktemp("builds") / "banks"
    shutil.copytree(small_banks, banks)
    return Settings(banks=banks, parts_dir=small_product, poll_s=0.1, keep_versions=1)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[httpx.Client]:
    from tests.service.conftest import serving

    with serving(settings, None) as running, running.client() as client:
        yield client


def test_a_new_product_from_a_zip_and_its_progress(
    client: httpx.Client, settings: Settings, declared_product: Path
) -> None:
    """The product declares what no return is."""
    stream = io.BytesIO(zipped(declared_product, "train", "validation"))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(f"{declared_product.name}/train/good/rgb/alone.png", b"x")
    body = stream.getvalue()
    wish = {**QUICK, "no_return": 9999, "scale": 1}
    key = {"Idempotency-Key": "monday"}
    url = "/v1/products/fresh/builds"
    answer = client.post(url, content=body, headers=ZIP | key, params=wish)
    *told, last = events(client, answer)
    places = {(line.get("stage"), line.get("stage_number"), line.get("stages")) for line in told}
    stages = ("measuring", "training parts", "validation parts", "point coreset", "held-out parts")
    seen = {place for place in places if place[1] is not None}
    assert seen <= {(stage, number, len(stages)) for number, stage in enumerate(stages, start=1)}
    assert (last["state"], last["kind"]) == ("done", "build"), last
    assert last["result"]["version"] == "v1"
    assert last["result"]["training_parts"] == 2
    assert [reason.split(":")[0] for reason in last["result"]["left_out"]] == ["train/good/alone"]
    told = client.get("/metrics").text.splitlines()
    assert 'tribank_jobs_total{kind="build",state="done"} 1.0' in told
    assert 'tribank_build_parts_total{use="training"} 2.0' in told
    (peak,) = (line.split()[1] for line in told if line.startswith("tribank_build_peak_bytes"))
    assert float(peak) == last["result"]["peak_memory_bytes"] > 10e6
    (row,) = client.get("/v1/audit", params={"action": "built"}).json()["changes"]
    assert (row["product"], row["bank_version"], row["subject"]) == ("fresh", "v1", last["job_id"])
    assert row["after"]["training_parts"] == 2
    assert client.get("/v1/products/fresh/versions").json()["active"] is None
    assert client.post("/v1/products/fresh/versions/v1/activate").status_code == 200
    assert client.get("/v1/products/fresh").json()["profile"] == "embedded-point"
    again = client.post(url, content=body, headers=ZIP | key, params=wish)
    assert again.headers["location"] == answer.headers["location"]
    manifest = Manifest.read(BankStore(settings.banks).path("fresh"))
    assert manifest.training_parts[0] == "train/good/000"
    assert manifest.profile.preparation.no_return == 9999
    assert not children()


@pytest.mark.usefixtures("quick_builds")
def test_parts_that_people_called_good_extend_the_active_version(
    client: httpx.Client, settings: Settings, small_product: Path
) -> None:
    url = f"/v1/products/{SMALL}"
    good = small_product / "test/good"
    part = {"rgb": (good / "rgb/000.png").read_bytes(), "xyz": (good / "xyz/000.tiff").read_bytes()}
    score = client.post(f"{url}/score", files=part).json()["score"]
    client.put(f"{url}/versions/v1/threshold", json={"threshold": 0.9 * score}).raise_for_status()
    result = client.post(f"{url}/score", files=part).json()
    name = result["result_id"]
    assert result["decision"] == "defective"
    wish = {"extend": "active"}
    refused = client.post(f"{url}/builds", json={"results": [name]}, params=wish)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_accepted")
    client.put(f"/v1/results/{name}/feedback", json={"verdict": "good"})
    refused = client.post(f"{url}/builds", json={"results": "accepted"})
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing_to_extend")
    store = BankStore(settings.banks)
    shutil.copytree(store.path(SMALL, "v1"), store.root / SMALL / "v2")
    last = ended(client, client.post(f"{url}/builds", json={"results": "accepted"}, params=wish))
    assert last["state"] == "done", last
    version = last["result"]["version"]
    assert store.versions(SMALL) == ["v1", version], "v1 is active; v2 is above the versions that are kept"
    (row,) = client.get("/v1/audit", params={"action": "delete"}).json()["changes"]
    assert (row["product"], row["bank_version"]) == (SMALL, "v2")
    path = BankStore(settings.banks).path(SMALL, version)
    parts = Manifest.read(path).training_parts
    assert parts[-1] == f"accepted-{name}"
    assert len(parts) == 6
    assert client.get(url).json()["bank_version"] == "v1"
    again = client.post(f"{url}/builds", json={"results": [name]}, params={"extend": version})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_add")
    client.post(f"{url}/versions/{version}/activate")
    after = client.post(f"{url}/score", files=part).json()
    assert (after["bank_version"], after["decision"]) == (version, "good")
    assert after["score"] < 0.5 * score
    client.post(f"{url}/rollback")


class Elsewhere(LocalCommands):
    """As on a cluster. asked: the words, the memory and the folders of each command."""

    elsewhere = True

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], int, list[Path]]] = []

    async def lines(self, words: Any, **options: Any) -> AsyncGenerator[bytes]:
        folders = list(options["folders"])
        assert all(folder.is_dir() for folder in folders)
        self.asked.append((list(words), options["memory_bytes"], folders))
        async with aclosing(super().lines(words, **options)) as lines:
            async for line in lines:
                yield line


@pytest.mark.usefixtures("quick_builds")
def test_a_build_elsewhere_takes_the_memory_of_its_plan_and_folders_that_all_see(
    settings: Settings, few_parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.service.conftest import serving

    elsewhere = Elsewhere()
    monkeypatch.setattr("service.app._commands", lambda settings: elsewhere)
    body = zipped(few_parts, "train", "validation")
    with serving(settings, None) as running, running.client() as client:
        for wish, version in ((QUICK, "v1"), ({"extend": "v1"}, "v2")):
            url = "/v1/products/elsewhere/builds"
            last = ended(client, client.post(url, content=body, headers=ZIP, params=wish))
            assert (last["state"], last["result"]["version"]) == ("done", version), last
    assert [words[0] for words, *_ in elsewhere.asked] == ["plan", "build"] * 2
    planned = [memory_bytes for _, memory_bytes, _ in elsewhere.asked]
    assert planned[0] == planned[2] == 0
    assert min(planned[1], planned[3]) > 100e6
    banks = settings.banks.absolute()
    for *_, folders in elsewhere.asked:
        assert {folder.relative_to(banks).parts[0][:7] for folder in folders} == {".parts-"}
        assert not any(folder.exists() for folder in folders)


def test_a_build_is_cancelled(client: httpx.Client, settings: Settings) -> None:
    answer = client.post("/v1/products/never/builds", json={"folder": "."}, params=QUICK)
    until(children, "the build's process")
    client.post(f"{answer.headers['location']}/cancel")
    assert ended(client, answer)["state"] == "cancelled"
    assert not children()
    assert BankStore(settings.banks).versions("never") == []


def test_a_cancelled_build_ends_with_its_process(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process takes its time to end; the next build waits for it."""
    slow = """
import signal, time
print('{"stages": ["measuring", "training parts"]}', flush=True)
step = '{"stage": "training parts", "done": 1, "total": 9}'
def leave(*_):
    for _ in range(20):
        time.sleep(0.1)
    raise SystemExit(1)
signal.signal(signal.SIGTERM, leave)
while True:
    print(step, flush=True)
    time.sleep(0.01)
"""
    monkeypatch.setattr(commands, "TRIBANK", (sys.executable, "-c", slow))
    answer = client.post("/v1/products/never/builds", json={"folder": "."}, params=QUICK)
    where = answer.headers["location"]
    until(lambda: client.get(where).json().get("stage"), "the first step")
    job = client.get(where).json()
    assert (job["stage"], job["stage_number"], job["stages"]) == ("training parts", 2, 2)
    client.post(f"{where}/cancel")
    until(lambda: client.get(where).json()["state"] == "cancelled", "the end of the job")
    assert not children()


def test_what_a_library_prints_harms_no_build(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain text, JSON of others, a line without end, and text before a line of the command's."""
    printed = '[Open3D WARNING] none\\n{"a": 1}\\n[1]\\n' + "x" * 100_000 + "\\n\\377\\nloading "
    told = [{"stages": ["training parts"]}, {"stage": "training parts", "done": 1, "total": 1}]
    lines = "".join(json.dumps(line) + r"\n" for line in [*told, {"version": "v1"}])
    monkeypatch.setattr(commands, "TRIBANK", ("printf", printed + lines))
    last = ended(client, client.post(f"/v1/products/{SMALL}/builds", json={"folder": "."}, params=QUICK))
    assert (last["state"], last["result"]["version"]) == ("done", "v1"), last


def test_the_build_is_ended_before_the_server_where_memory_runs_out(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = """
import time
for _ in range(300):
    if open("/proc/self/oom_score_adj").read() == "1000\\n":
        print('{"version": "v1"}')
        break
    time.sleep(0.1)
"""
    monkeypatch.setattr(commands, "TRIBANK", (sys.executable, "-c", waits))
    last = ended(client, client.post(f"/v1/products/{SMALL}/builds", json={"folder": "."}, params=QUICK))
    assert last["state"] == "done", last


@pytest.mark.usefixtures("quick_builds")
def test_a_build_that_a_restart_interrupted_is_done_after_it(settings: Settings, tmp_path: Path) -> None:
    from tests.service.conftest import serving

    with serving(settings, None, state=tmp_path) as running, running.client() as client:
        answer = client.post("/v1/products/late/builds", json={"folder": "."}, params=QUICK)
        until(children, "the build's process")
    assert not children()
    with serving(settings, None, state=tmp_path) as running, running.client() as client:
        assert ended(client, answer)["result"]["version"] == "v1"


@pytest.mark.usefixtures("quick_builds")
def test_parts_that_make_no_bank_fail_the_job(client: httpx.Client, small_product: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(small_product / "train/good/rgb/000.png", "000.png")
        archive.write(small_product / "train/good/xyz/000.tiff", "000.tiff")
    body = file.getvalue()
    last = ended(client, client.post("/v1/products/one/builds", content=body, headers=ZIP, params=QUICK))
    assert (last["state"], last["problem"]["code"]) == ("failed", "build_refused")
    assert last["problem"]["detail"] == "1 usable good part: a bank needs at least 2."


def test_a_full_disk_fails_the_job_with_507(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's exit status tells the job so; below, a real command finds a real disk full."""
    monkeypatch.setattr(commands, "TRIBANK", ("sh", "-c", f"exit {EXIT_FULL}"))
    last = ended(client, client.post("/v1/products/much/builds", json={"folder": "."}, params=QUICK))
    assert (last["state"], last["problem"]["status"], last["problem"]["code"]) == ("failed", 507, "disk_full")


def test_a_bank_directory_that_cannot_be_written_fails_the_job(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "service.jobs.build.os.access", lambda *_: False
    )  # root may write whatever the modes say
    last = ended(client, client.post("/v1/products/much/builds", json={"folder": "."}, params=QUICK))
    assert (last["state"], last["problem"]["status"], last["problem"]["code"]) == (
        "failed",
        503,
        "banks_not_writable",
    )


@pytest.mark.parametrize("size", [1 << 20, 10 << 20])
@pytest.mark.skipif(not small_disk.available(), reason="no mount namespace can be had here")
def test_a_build_on_a_disk_that_gets_full_says_so(
    small_product: Path, tmp_path: Path, warm: Warm, size: int
) -> None:
    """Wherever the build is when it happens."""
    banks = tmp_path / "banks"
    banks.mkdir()
    build = ["build", SMALL, str(small_product), "--banks", str(banks)]
    hook = f"{small_disk.__name__}:{small_disk.mount.__name__}"
    command = warm.start(build, tmp_path / "said", small_disk.environment(banks, size), hook)
    assert command.wait() == EXIT_FULL
    assert "disk is full" in command.said.read_text().splitlines()[-1]
    assert not list(banks.iterdir()), "the banks were on the small disk"


def test_builds_and_batches_have_places_of_their_own(serve: Any, strict_settings: Any, loader: Any) -> None:
    with serve(strict_settings, loader) as running, running.client() as client:
        shared = running.app.state.shared
        ways = {"batches": "/v1/products/cookie/batch", "builds": "/v1/products/cookie/builds"}
        for full in ways:
            gate = getattr(shared, full)
            with ExitStack() as held:
                for place in range(gate.limit):
                    held.enter_context(gate.enter(f"client {place}"))
                answers = {way: client.post(url, content=b"PK", headers=ZIP) for way, url in ways.items()}
                assert {way: answer.status_code for way, answer in answers.items()} == {
                    way: 429 if way == full else 422 for way in ways
                }
                assert "Retry-After" in answers[full].headers


def test_builds_that_are_refused(client: httpx.Client, settings: Settings) -> None:
    small = f"/v1/products/{SMALL}/builds"
    some = {"results": ["0" * 32]}
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("/v1/products/No%20name/builds", {"json": {"folder": "."}}, 422, "invalid_product"),
        (small, {"json": {"folder": "."}, "params": {"profile": "best"}}, 422, "unknown_profile"),
        (small, {"json": {"folder": "."}, "params": {"extend": "v77"}}, 404, "unknown_version"),
        (
            small,
            {"json": {"folder": "."}, "params": {"extend": "active", "seed": 1}},
            422,
            "invalid_parameter",
        ),
        (small, {"json": {"folder": ".."}}, 422, "unsafe_folder"),
        (small, {"json": {"folder": "/etc"}}, 422, "unsafe_folder"),
        (small, {"json": {"folder": "a\0b"}}, 422, "unsafe_folder"),
        (small, {"json": {"folder": "nowhere"}}, 422, "no_parts"),
        (small, {"json": {"folder": ".", "results": "accepted"}}, 422, "invalid_body"),
        (small, {"json": {}}, 422, "invalid_body"),
        (small, {"json": {"results": ["../x"]}}, 422, "invalid_body"),
        (small, {"json": some, "params": {"extend": "active"}}, 404, "unknown_result"),
        (small, {"content": b"PK", "headers": ZIP}, 422, "unreadable"),
        (small, {"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_body"),
    ]
    for url, request, status, code in cases:
        answer = client.post(url, **request)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (request, answer.text)
    other = client.post(small, content=b"x", headers={"Content-Type": "text/plain"}).json()
    assert all(kind in other["detail"] for kind in ("zip", "multipart/form-data", "application/json"))


def test_a_server_without_a_folder_for_parts_takes_none(settings: Settings) -> None:
    from tests.service.conftest import serving

    bare = settings.model_copy(update={"parts_dir": None})
    with serving(bare, None, wait=False) as running, running.client() as client:
        answer = client.post("/v1/products/any/builds", json={"folder": "."})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_parts_dir")
