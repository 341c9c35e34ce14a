"""The whole path: `tribank serve` as a process of its own, with the small product's banks."""

from __future__ import annotations

import io
import json
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from banks.versions.store import BankStore
from service.engine.store_loader import StoreLoader
from service.http.listening import CannotStart
from service.records.state_folder import StateFolder, StateInUse
from service.refusals import NotReady
from service.server import run, tell_start
from service.settings import Settings
from service.watch.logs import make_logger
from tests.conftest import SMALL
from tests.faults.bench import Served, served_by
from tests.faults.warm import Real, Warm
from tests.service import stand_in
from tests.waiting import until

URL = "/v1/products/biscuit/score"


@pytest.fixture(scope="module")
def files(small_product: Path) -> dict[str, bytes]:
    part = small_product / "train" / "good"
    return {"rgb": (part / "rgb" / "000.png").read_bytes(), "xyz": (part / "xyz" / "000.tiff").read_bytes()}


def _ready(address: str) -> httpx.Response:
    return httpx.get(f"{address}/readyz", trust_env=False, verify=False)


Serving = Callable[..., AbstractContextManager[Served]]


@pytest.fixture
def serving(warm: Warm, tmp_path: Path) -> Serving:
    """`with serving(banks, hook, TRIBANK_...="...") as served:` is a serving process, ready."""

    @contextmanager
    def serve(banks: Path, hook: str = "", **environment: str) -> Iterator[Served]:
        command = ["serve", "--banks", str(banks), "--port", "0", "--state", str(tmp_path / "state")]
        server = warm.start(command, tmp_path / "said", environment, hook)
        try:
            yield served_by(server)
        finally:
            server.kill()

    return serve


def test_the_start_is_logged_with_the_device_and_with_names_that_are_no_setting(tmp_path: Path) -> None:
    stream = io.StringIO()
    environment = {"TRIBANK_BANKS": "", "TRIBANK_LOADS": "first-use"}
    tell_start(Settings(banks=tmp_path, device="cuda"), environment, make_logger(stream))
    start, unknown = map(json.loads, stream.getvalue().splitlines())
    assert (start["event"], start["device"]) == ("service_starts", "cuda")
    assert (unknown["event"], unknown["level"]) == ("unknown_setting", "warning")
    assert (unknown["name"], unknown["perhaps"]) == ("TRIBANK_LOADS", "TRIBANK_LOAD")


def test_pinned_names_that_are_no_product_are_told_at_the_start(small_banks: Path) -> None:
    stream = io.StringIO()
    tell_start(Settings(banks=small_banks, pinned=f"{SMALL}, biscit"), (), make_logger(stream))
    _, unknown = map(json.loads, stream.getvalue().splitlines())
    assert (unknown["event"], unknown["level"]) == ("unknown_pinned", "warning")
    assert (unknown["name"], unknown["perhaps"]) == ("biscit", SMALL)


def test_what_a_person_has_to_mend_is_one_sentence_and_status_2(
    tmp_path: Path, free_port: int, warm: Warm
) -> None:
    (tmp_path / "banks").mkdir()
    command = ["serve", "--banks", str(tmp_path / "banks"), "--port", str(free_port)]
    with socket.create_server(("127.0.0.1", free_port)):
        status, said = warm.run(*command, "--state", tmp_path / "state")
    assert (status, said.count("\n")) == (2, 1), said
    assert said.startswith("tribank: ")
    assert str(free_port) in said
    limits = {"TRIBANK_MAX_JOBS": "abc", "TRIBANK_POLL_S": "-1"}
    ended = warm.start(command, tmp_path / "said", limits)
    said = f"{ended.wait()} {ended.said.read_text()}"
    assert (said[:2], said.count("\n")) == ("2 ", 2), said
    assert "TRIBANK_MAX_JOBS" in said
    assert "TRIBANK_POLL_S" in said


@pytest.mark.parametrize("wrong", ["no banks", "banks a file", "state below a file", "state in use", "port"])
def test_a_server_that_cannot_start_says_so_before_it_loads_anything(
    wrong: str, tmp_path: Path, free_port: int
) -> None:
    banks, state, file = tmp_path / "banks", tmp_path / "state", tmp_path / "file"
    banks.mkdir()
    file.touch()
    settings = Settings(banks=banks, state=state, port=free_port)
    changes = {
        "no banks": {"banks": tmp_path / "none"},
        "banks a file": {"banks": file},
        "state below a file": {"state": file / "state"},
    }
    settings = settings.model_copy(update=changes.get(wrong, {}))
    with ExitStack() as held:
        if wrong == "state in use":
            other = StateFolder(state, {}, make_logger(io.StringIO()))
            other.claim()
            held.callback(other.close)
        if wrong == "port":
            held.enter_context(socket.create_server(("127.0.0.1", free_port)))
        with pytest.raises(StateInUse if wrong == "state in use" else CannotStart):
            run(settings)
    after = StateFolder(state, {}, make_logger(io.StringIO()))
    after.claim()
    after.close()


@pytest.mark.parametrize("how", ["dies", "hangs"])
def test_a_server_that_can_score_no_more_ends_with_a_status_of_its_own(
    how: str, part: dict[str, bytes], tmp_path: Path, serving: Serving
) -> None:
    limits = {"TRIBANK_DEADLINE_S": "1", "TRIBANK_STUCK_S": "0.1"}
    (tmp_path / "banks").mkdir()
    with (
        serving(tmp_path / "banks", f"{stand_in.__name__}:{how}", **limits) as served,
        served.client() as client,
    ):
        answer = client.post("/v1/products/cookie/score", files=part)
        assert (answer.status_code, answer.json()["code"]) == {
            "dies": (503, "not_running"),
            "hangs": (504, "deadline_passed"),
        }[how]
        assert served.command.wait(60) == 70
        assert {"dies": '"owner_died"', "hangs": '"owner_stuck"'}[how] in served.command.said.read_text()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_part_is_scored_and_sigterm_finishes_what_is_in_work(
    small_banks: Path, files: dict[str, bytes], tmp_path: Path
) -> None:
    """The command as a person starts it."""
    options = ["--banks", str(small_banks), "--state", str(tmp_path / "state"), "--port", "0"]
    server = Real(["serve", *options], tmp_path / "said")
    try:
        served = served_by(server)
        with served.client() as client:
            answer = client.post(URL, files=files).json()
            assert answer["decision"] in ("good", "defective")
            assert set(answer["banks"]) == {"rgb", "relief", "colour", "fused"}
            assert client.post(URL, files=files).json()["score"] == answer["score"]
            empty = client.post(URL, files={"sample": b""})
            assert empty.status_code == 422
        request = httpx.Request("POST", f"{served.url}{URL}", files=files, headers={"Expect": "100-continue"})
        head = [b"%s: %s" % one for one in request.headers.raw]
        with socket.create_connection(served.address, 60) as connection:
            connection.sendall(b"\r\n".join([b"POST %s HTTP/1.1" % URL.encode(), *head, b"", b""]))
            assert connection.recv(100).startswith(b"HTTP/1.1 100"), "the part is in work"
            server.signal(signal.SIGTERM)
            connection.sendall(request.read())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert server.wait() == 0
    finally:
        server.kill()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_during_the_grace_parts_are_scored_while_the_service_is_not_ready(
    small_banks: Path, files: dict[str, bytes], serving: Serving
) -> None:
    with serving(small_banks, TRIBANK_DRAIN_GRACE_S="600") as served:
        served.command.signal(signal.SIGTERM)
        until(lambda: _ready(served.url).status_code != 200, "the service that is not ready any more")
        assert _ready(served.url).json()["code"] == "not_ready"
        answer = httpx.post(f"{served.url}{URL}", files=files, timeout=60, trust_env=False, verify=False)
        assert answer.status_code == 200, answer.text
        served.command.signal(signal.SIGTERM)
        assert served.command.wait(60) == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_grace_ends(small_banks: Path, serving: Serving) -> None:
    with serving(small_banks, TRIBANK_DRAIN_GRACE_S="0.5") as served:
        served.command.signal(signal.SIGTERM)
        assert served.command.wait(60) == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_damaged_version_gives_way_to_the_one_before(small_banks: Path, tmp_path: Path) -> None:
    root = tmp_path / "banks"
    shutil.copytree(small_banks, root, symlinks=True)
    shutil.copytree(root / "biscuit" / "v1", root / "biscuit" / "v2")
    store = BankStore(root)
    store.activate("biscuit", "v2")
    bank = root / "biscuit" / "v2" / "rgb.faiss"
    data = bytearray(bank.read_bytes())
    data[len(data) // 2] ^= 1
    bank.write_bytes(data)
    loader: Any = StoreLoader(store, device="cpu", weights=Path("weights"))
    loaded = loader.load("biscuit")
    assert loaded.detector.version == "v1"
    assert "v2 is damaged: rgb.faiss: changed" in loaded.note
    assert "v1" in loaded.note, "an operator reads which version stands in"
    (root / "biscuit" / "v1" / "manifest.json").unlink()
    with pytest.raises(NotReady):
        loader.load("biscuit")
