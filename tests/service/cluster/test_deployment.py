"""A real Ray cluster of two nodes, two scorers, two real fronts and a real PostgreSQL.

The commands of docs/cluster.md start and stop it, typed in order. The page's host2 and host3 are one node
here, with a core for each scorer. The second front is started beside the page's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from banks.versions.manifest import Manifest
from cli.steps import free_port
from service.http.keys import Keys
from tests.faults.warm import Warm
from tests.reader import Desk, lines_of
from tests.service.cluster.page import PAGE, Computers
from tests.waiting import until

KEPT = Path(__file__).parents[2] / "data" / "versions" / "schema-3"
PRODUCTS = ("biscuit", "cookie", "tile")
NPZ = {"Content-Type": "application/octet-stream"}
ACTIVATIONS = int(os.environ.get("TRIBANK_TEST_ACTIVATIONS", "20"))
"""How often a version is activated under load."""
PART = (KEPT / "part.npz").read_bytes()

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Plant:
    """Fronts and scorers on one folder of banks.

    environment: what every process needs that joins the cluster. fronts: their addresses. status: what
    `tribank cluster status` said when the scorers ran.
    """

    folder: Path
    warm: Warm
    environment: dict[str, str]
    key: str
    fronts: list[str] = field(default_factory=list)
    status: str = ""

    def command(self, *words: str) -> tuple[int, str]:
        """Run `tribank` to its end, on a node of the cluster."""
        said = self.folder / "said"
        said.unlink(missing_ok=True)
        return self.warm.start(words, said, self.environment).wait(), said.read_text()

    @contextmanager
    def client(self, front: int = 0) -> Iterator[httpx.Client]:
        headers = {"X-API-Key": self.key}
        options: dict[str, Any] = {"timeout": 120, "trust_env": False, "verify": False}
        with httpx.Client(base_url=self.fronts[front], headers=headers, **options) as client:
            yield client

    def scorers(self) -> dict[str, dict[str, Any]]:
        """What each scorer says of itself."""
        status, said = self.command("cluster", "status", "--json")
        rows = json.loads(said.splitlines()[-1])
        assert status == (0 if all(row["facts"] for row in rows.values()) else 1), said
        return {name: row["facts"] for name, row in rows.items()}


@pytest.fixture(scope="module")
def plant(warm: Warm, postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    folder = tmp_path_factory.mktemp("plant")
    for product in PRODUCTS:
        shutil.copytree(KEPT / "biscuit", folder / "banks" / product)
    key = Keys(folder / "out" / "state").add("line", "manage")
    shutil.copytree(folder / "out" / "state", folder / "other")
    secret, token, export, head, node, start, status, serve, stop = lines_of(PAGE)
    with ExitStack() as held:
        short = Path(held.enter_context(TemporaryDirectory(prefix="ray-", dir="/tmp")))
        desk = Desk(folder, free_port(), warm)
        computers = Computers(desk, short)
        computers.type(secret)
        computers.type(token)
        computers.exported = export
        held.enter_context(computers.going(head, "Ray runtime started"))
        held.enter_context(computers.going(node, "Ray runtime started"))
        assert "2 scorers run" in computers.type(start)
        held.callback(computers.type, stop)
        environment = {
            **dict(word.split("=") for word in export.replace("$PWD", str(folder)).split()[1:]),
            "TRIBANK_CLUSTER": computers.address,
        }
        plant = Plant(folder, warm, environment, key, status=computers.type(status))
        settings = {
            "TRIBANK_POLL_S": "0.2",
            "TRIBANK_DEADLINE_S": "100",
            "TRIBANK_DATABASE": postgres.new_database(),
        }
        held.enter_context(computers.going(serve, "Serving on", **settings))
        other = free_port()
        given = {**environment, **settings, "TRIBANK_MAX_IN_FLIGHT": "16"}
        words = ("serve", "--banks", str(folder / "banks"), "--state", str(folder / "other"))
        server = warm.start([*words, "--port", str(other)], folder / "said-other", given)
        held.callback(server.kill)
        plant.fronts += [desk.address, f"http://127.0.0.1:{other}"]
        for front in range(2):
            with plant.client(front) as client:
                until(lambda client=client: _ready(client), "a front that is ready", every=0.1)
        yield plant


def _ready(client: httpx.Client) -> bool:
    try:
        answer = client.get("/readyz")
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and all(one["state"] == "serving" for one in answer.json()["products"])


def _score(client: httpx.Client, product: str, **headers: str) -> httpx.Response:
    return client.post(f"/v1/products/{product}/score", content=PART, headers=NPZ | headers)


def test_every_command_of_the_page_works(plant: Plant) -> None:
    """Those before and after the tests, too: `plant` types them."""
    assert plant.status.count("RUNNING") == 2
    with plant.client() as client:
        assert client.get("/v2/models/biscuit/ready").status_code == 200
        answer = _score(client, "biscuit")
        assert answer.status_code == 200
        assert "cluster" in answer.json()["timings_ms"], "a scorer has scored it"
        assert [one["answers"] for one in client.get("/readyz").json()["scorers"]] == [True, True]


def test_two_fronts_give_the_answers_of_one_machine_to_the_last_digit(plant: Plant) -> None:
    status, said = plant.warm.run("score", "--help")
    assert status == 0, said
    expected = _alone(plant)
    for front in range(2):
        with plant.client(front) as client:
            for product in PRODUCTS:
                answer = _score(client, product).json()
                assert {name: answer[name] for name in expected} == expected
                assert answer["timings_ms"]["cluster"] > 0
            scorers = client.get("/readyz").json()["scorers"]
            assert [one["answers"] for one in scorers] == [True, True]
            metrics = client.get("/metrics").text
            assert 'tribank_scorer_up{scorer="0"} 1.0' in metrics


def _alone(plant: Plant) -> dict[str, Any]:
    """What a server of one machine answers, without what differs from answer to answer."""
    state = plant.folder / "alone"
    words = ["serve", "--banks", str(plant.folder / "banks"), "--state", str(state), "--port", "0"]
    said = plant.folder / "said-alone"
    server = plant.warm.start(words, said, {"TRIBANK_OPEN_ACCESS": "true", "OMP_NUM_THREADS": "1"})
    try:
        line = until(
            lambda: next((one for one in said.read_text().split() if one.startswith("http://")), ""), "alone"
        )
        with httpx.Client(base_url=line, timeout=120, trust_env=False) as client:
            until(lambda: _ready(client), "a server that is ready", every=0.1)
            answer = _score(client, "biscuit").json()
    finally:
        server.kill()
    names = ("score", "threshold", "decision", "banks", "contributions", "place", "evidence", "regions")
    return {name: answer[name] for name in (*names, "coverage", "relative_score", "plane_found")}


def test_one_idempotency_key_at_two_fronts_gives_one_result(plant: Plant) -> None:
    answers: list[httpx.Response] = []

    def send(front: int) -> None:
        with plant.client(front) as client:
            answers.append(_score(client, "tile", **{"Idempotency-Key": "part-1"}))

    threads = [threading.Thread(target=send, args=(front,)) for front in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["result_id"] for answer in answers}) == 1
    with plant.client(1) as client:
        assert len(client.get("/v1/results", params={"product": "tile"}).json()["results"]) >= 1


@dataclass
class Load:
    """Lines that send parts of some products to both fronts, until the end of the block.

    answers: product, when the part was sent, when its answer came, status, answer.
    pause_s: seconds between a line's parts.
    """

    plant: Plant
    products: Sequence[str]
    pause_s: float = 0.05
    answers: list[tuple[str, float, float, int, dict[str, Any]]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        for front in range(2):
            for product in self.products:
                thread = threading.Thread(target=self._line, args=(front, product))
                self.threads.append(thread)
                thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        for thread in self.threads:
            thread.join(120)

    def _line(self, front: int, product: str) -> None:
        with self.plant.client(front) as client:
            while not self.done.is_set():
                sent = time.monotonic()
                answer = _score(client, product)
                received = time.monotonic()
                self.answers.append((product, sent, received, answer.status_code, answer.json()))
                self.done.wait(self.pause_s)

    def count(self, since: int = 0) -> int:
        return len(self.answers[since:])

    def has_part_sent_since(self, product: str, since: float) -> bool:
        return any(one[0] == product and one[1] >= since for one in self.answers[-20:])


def test_activations_under_load_never_mix_versions_once_confirmed(plant: Plant) -> None:
    folder = plant.folder / "banks" / "cookie"
    shutil.copytree(folder / "v1", folder / "v2")
    manifest = Manifest.read(folder / "v2")
    changed = {**manifest.decision, "peak_spread": [2 * s for s in manifest.decision["peak_spread"]]}
    manifest.model_copy(update={"decision": changed}).write(folder / "v2")
    confirmed: list[tuple[float, float, str]] = []  # asked, confirmed, version
    with Load(plant, ["cookie"]) as load, plant.client(0) as one, plant.client(1) as other:
        until(lambda: load.count() > 4, "parts")
        for number in range(ACTIVATIONS):
            version = "v2" if number % 2 == 0 else "v1"
            asked = time.monotonic()
            client = (one, other)[number % 3 == 0]
            answer = client.post(f"/v1/products/cookie/versions/{version}/activate")
            assert answer.status_code == 200, answer.text
            confirmed.append((asked, time.monotonic(), version))
            sent_since = partial(load.has_part_sent_since, "cookie", confirmed[-1][1])
            until(sent_since, "a part that was sent after the confirmation")
    scores: dict[str, set[float]] = {"v1": set(), "v2": set()}
    checked = 0
    for product, sent, received, status, body in load.answers:
        assert status == 200, body
        if product != "cookie":
            continue
        scores[body["bank_version"]].add(body["score"])
        before = [version for _, ended, version in confirmed if ended <= sent][-1:]
        meanwhile = {version for asked, ended, version in confirmed if asked < received and ended > sent}
        if before and not meanwhile:
            checked += 1
            assert [body["bank_version"]] == before
    assert checked > ACTIVATIONS / 2
    assert all(len(found) == 1 for found in scores.values()), scores
    assert scores["v1"] != scores["v2"]


def test_a_scorer_that_is_killed_under_load_loses_no_part(plant: Plant) -> None:
    scorers = plant.scorers()
    holder = next(facts for facts in scorers.values() if "biscuit/v1" in facts["versions"])
    with Load(plant, PRODUCTS[:2]) as load, plant.client() as client:
        until(lambda: load.count() > 8, "parts before")
        os.kill(holder["pid"], signal.SIGKILL)
        at_kill = load.count()
        seen = until(lambda: _down(client), "a scorer that does not answer", seconds=30, every=0.05)
        until(lambda: load.count(at_kill) > 12, "parts of the products that the scorer had")
        load.pause_s = 2.0  # the scorer takes seconds to start
        until(lambda: not _down(client), "both scorers", every=0.1)
        load.pause_s = 0.05
        back = load.count()
        until(lambda: load.count(back) > 8, "parts with both again")
    assert seen
    statuses = Counter(status for *_, status, _ in load.answers)
    assert statuses == {200: len(load.answers)}, statuses
    for product in PRODUCTS[:2]:
        assert len({body["score"] for name, *_, body in load.answers if name == product}) == 1
    with plant.client(1) as client:  # each answer is on record once
        ids = [body["result_id"] for *_, body in load.answers]
        assert len(set(ids)) == len(ids)
        assert client.get(f"/v1/results/{ids[-1]}").status_code == 200
    assert {facts["pid"] for facts in plant.scorers().values()}.isdisjoint({holder["pid"]})


def _down(client: httpx.Client) -> bool:
    """Whether the front says that a scorer does not answer."""
    answer = client.get("/readyz").json()
    return any(not one["answers"] for one in answer.get("scorers", [])) or "scorers" not in answer
