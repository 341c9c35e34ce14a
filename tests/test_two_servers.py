"""docker/two-servers: two real servers on one banks folder behind a real nginx."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from banks.versions.manifest import Manifest
from service.http.keys import Keys
from tests.faults.warm import Forked, Warm
from tests.service.proxy import NGINX, behind_nginx
from tests.waiting import until

CONFIGURATION = Path(__file__).parents[1] / "docker" / "two-servers" / "nginx.conf"
KEPT = Path(__file__).parent / "data" / "versions" / "schema-3"
SERVERS = ("server-1", "server-2")
NPZ = {"Content-Type": "application/octet-stream"}

pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx: make programs")


@dataclass
class Plant:
    """Two servers, each with a state folder of its own, on one folder of banks.

    products: one that nginx sends to the first server, and one that it sends to the second.
    """

    folder: Path
    warm: Warm
    ports: dict[str, int] = field(default_factory=dict)
    servers: dict[str, Forked] = field(default_factory=dict)
    key: str = ""
    products: list[str] = field(default_factory=list)

    def start(self, name: str, state: str = "") -> Forked:
        words = [
            "serve",
            "--banks",
            str(self.folder / "banks"),
            "--state",
            str(self.folder / (state or name)),
        ]
        words += ["--port", str(self.ports[name])]
        settings = {"TRIBANK_POLL_S": "0.05", "TRIBANK_DEADLINE_S": "120"}
        self.servers[name] = self.warm.start(words, self.folder / f"said-{name}", settings)
        return self.servers[name]

    def client(self, address: str) -> httpx.Client:
        headers = {"X-API-Key": self.key}
        return httpx.Client(base_url=address, headers=headers, timeout=120, trust_env=False, verify=False)


@pytest.fixture(scope="module")
def plant(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    plant = Plant(tmp_path_factory.mktemp("plant"), warm)
    (plant.folder / "banks").mkdir()
    plant.key = Keys(plant.folder / "tribank-1").add("line", "manage")
    shutil.copytree(plant.folder / "tribank-1", plant.folder / "tribank-2")
    with ExitStack() as held:
        for name in ("tribank-1", "tribank-2"):
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            plant.ports[name] = listener.getsockname()[1]
    for name in plant.ports:
        plant.start(name)
    yield plant
    for server in plant.servers.values():
        server.kill()


@pytest.fixture(scope="module")
def front(plant: Plant) -> Iterator[httpx.Client]:
    site = re.sub(
        r"tribank-[12]:8000",
        lambda found: f"127.0.0.1:{plant.ports[found[0][:9]]}",
        CONFIGURATION.read_text(),
    )
    with behind_nginx(plant.folder, site) as address, plant.client(address) as client:
        until(lambda: all(_answers(client, server) for server in SERVERS), "both servers")
        for port in plant.ports.values():
            product = next(
                name for name in map("biscuit{}".format, range(1000)) if _home(client, name) == port
            )
            plant.products.append(product)
            shutil.copytree(KEPT / "biscuit", plant.folder / "banks" / product)
        for server in SERVERS:
            until(lambda server=server: _serves(client, server, plant.products), f"the banks of {server}")
        yield client


@pytest.fixture(scope="module")
def part() -> bytes:
    return (KEPT / "part.npz").read_bytes()


def _answers(client: httpx.Client, server: str) -> bool:
    return client.get(f"/{server}/healthz").status_code == 200


def _home(client: httpx.Client, product: str) -> int:
    """The port of the server that nginx asks about a product, whether or not there is such a product."""
    return int(client.get(f"/v1/products/{product}").headers["tribank-server"].rpartition(":")[2])


def _serves(client: httpx.Client, server: str, products: list[str]) -> bool:
    answers = [client.get(f"/{server}/v2/models/{product}/ready") for product in products]
    return all(answer.status_code == 200 for answer in answers)


def _score(client: httpx.Client, product: str, part: bytes, before: str = "") -> httpx.Response:
    return client.post(f"{before}/v1/products/{product}/score", content=part, headers=NPZ)


def _server(answer: httpx.Response) -> str:
    """The address of the server that answered: the last one that nginx asked."""
    return answer.headers["tribank-server"].rpartition(", ")[2]


def test_each_product_has_its_server_and_scores_are_those_of_both(
    plant: Plant, front: httpx.Client, part: bytes
) -> None:
    homes = [set(), set()]
    scores = set()
    for product, home in zip(plant.products, homes, strict=True):
        for before in ("", "/server-1", "/server-2"):
            answer = _score(front, product, part, before)
            assert answer.status_code == 200, answer.text
            scores.add(answer.json()["score"])
            home |= set() if before else {_server(answer)}
        home.add(_server(front.get(f"/v2/models/{product}/ready")))
        listed = front.get("/v1/results", params={"product": product})
        home.add(_server(listed))
        assert len(listed.json()["results"]) == 2, "those of the product's own server"
    assert homes == [{f"127.0.0.1:{port}"} for port in plant.ports.values()]
    assert len(scores) == 1, "to the last digit"
    assert scores.pop() == pytest.approx(json.loads((KEPT / "expected.json").read_text())["score"])


def test_an_activation_at_one_server_is_followed_by_the_other(
    plant: Plant, front: httpx.Client, part: bytes
) -> None:
    product = plant.products[0]
    before = _score(front, product, part).json()["score"]
    folder = plant.folder / "banks" / product
    shutil.copytree(folder / "v1", folder / "v2")
    manifest = Manifest.read(folder / "v2")
    changed = {**manifest.decision, "peak_spread": [2 * s for s in manifest.decision["peak_spread"]]}
    manifest.model_copy(update={"decision": changed}).write(folder / "v2")
    assert front.post(f"/v1/products/{product}/versions/v2/activate").json()["active"] == "v2"
    answer = _score(front, product, part).json()
    assert (answer["bank_version"], answer["score"] == before) == ("v2", False), (
        "at once by the product's server"
    )

    def versions() -> set[str]:
        return {front.get(f"/{server}/v1/products/{product}").json()["bank_version"] for server in SERVERS}

    until(lambda: versions() == {"v2"}, "v2 at both servers")
    assert _score(front, product, part, "/server-2").json()["score"] == answer["score"]


def test_a_job_and_a_result_are_found_whichever_server_has_them(
    plant: Plant, front: httpx.Client, part: bytes
) -> None:
    for product, port in zip(plant.products, plant.ports.values(), strict=True):
        result = _score(front, product, part)
        found = front.get(f"/v1/results/{result.json()['result_id']}")
        assert (found.status_code, _server(found)) == (200, f"127.0.0.1:{port}")
    assert front.get(f"/v1/results/{'0' * 32}").status_code == 404
    assert front.post("/v1/jobs/none/cancel").status_code == 404


def test_a_second_server_on_the_same_state_folder_does_not_start(plant: Plant, front: httpx.Client) -> None:
    said = plant.folder / "said-again"
    words = ["serve", "--banks", str(plant.folder / "banks"), "--state", str(plant.folder / "tribank-1")]
    again = plant.warm.start([*words, "--port", "0"], said)
    assert again.wait() == 2
    assert "Another server uses the state folder" in said.read_text()


def test_a_server_that_is_killed_under_load_loses_no_part(
    plant: Plant, front: httpx.Client, part: bytes
) -> None:
    first, second = plant.products
    expected = {product: _score(front, product, part).json()["score"] for product in plant.products}
    answers: list[tuple[str, int, float | None, str]] = []
    done = threading.Event()

    def line(product: str) -> None:
        with plant.client(str(front.base_url)) as client:
            while not done.is_set():
                answer = _score(client, product, part)
                score = answer.json().get("score")
                answers.append((product, answer.status_code, score, answer.headers["tribank-server"]))
                done.wait(0.05)  # leaves the processor to the server that starts

    def scored(product: str, since: int) -> int:
        return sum(one == product for one, *_ in answers[since:])

    lines = [threading.Thread(target=line, args=(product,)) for product in (first, second)]
    for thread in lines:
        thread.start()
    try:
        until(lambda: scored(second, 0) > 2, "parts before")
        plant.servers["tribank-2"].kill()
        at_kill = len(answers)
        assert front.get("/server-2/readyz").status_code == 502
        assert front.get("/readyz").status_code == 200
        until(lambda: scored(second, at_kill) > 2, "parts of the dead server's product")
        plant.start("tribank-2")
        until(lambda: _serves(front, "server-2", [second]), "the bank of server-2")
        back = len(answers)
        until(lambda: scored(second, back) > 2, "parts with both again")
    finally:
        done.set()
        for thread in lines:
            thread.join(120)
    assert Counter(status for _, status, _, _ in answers) == {200: len(answers)}
    assert all(score == expected[product] for product, _, score, _ in answers)
    dead = f"127.0.0.1:{plant.ports['tribank-2']}"
    assert any(servers.startswith(f"{dead}, ") for *_, servers in answers), "the other server stood in"
    assert any(servers == dead for *_, servers in answers[back:]), "it has its products again"
