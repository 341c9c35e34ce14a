"""Builds on a real Ray cluster of two nodes, by real fronts and the real command."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from cli.steps import free_port
from service.settings import BUILDS
from tests.faults.warm import Forked, Warm
from tests.service.cluster.nodes import Nodes, ray_nodes
from tests.waiting import until

QUICK = {"profile": "embedded-point"}
ZIP = {"Content-Type": "application/zip"}
FOLDER = {"folder": "parts"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Plant:
    """Fronts whose builds run on the nodes."""

    folder: Path
    warm: Warm
    nodes: Nodes
    servers: list[Forked] = field(default_factory=list)
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def store(self) -> BankStore:
        return BankStore(self.folder / "banks")

    def serve(self, name: str, **settings: str) -> httpx.Client:
        """Start a front with a state folder of this name, and wait until it answers."""
        given = {
            **self.nodes.environment,
            "TRIBANK_CLUSTER": self.nodes.address,
            "TRIBANK_PARTS_DIR": str(self.folder),
            "TRIBANK_BUILD_ON": "nodes",
            "TRIBANK_BUILDS_AT_ONCE": "2",
            "TRIBANK_MAX_JOBS": "100",
            "TRIBANK_OPEN_ACCESS": "true",
            **settings,
        }
        port = free_port()
        words = ["serve", "--banks", str(self.folder / "banks"), "--state", str(self.folder / name)]
        said = self.folder / f"said-{name}"
        self.servers.append(self.warm.start([*words, "--port", str(port)], said, given))
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)
        self.held.enter_context(client)

        def answers() -> bool:
            assert self.servers[-1].poll() is None, said.read_text()
            try:
                return client.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        until(answers, "a front that answers", every=0.05)
        return client


@pytest.fixture(scope="module")
def plant(warm: Warm, few_parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """On the nodes, `python -m tribank` is a fork of the warm process."""
    folder = tmp_path_factory.mktemp("plant")
    shutil.copytree(few_parts, folder / "parts")
    program = warm.tribank
    (folder / "banks").mkdir()
    (folder / "program").mkdir()
    stub = f"import os, sys\nos.execv({program[0]!r}, [*{program!r}, *sys.argv[1:]])\n"
    (folder / "program" / "tribank.py").write_text(stub)
    with ExitStack() as held:
        variables = {"PYTHONPATH": str(folder / "program")}
        options = [f"--resources={json.dumps({BUILDS: 1})}"]
        nodes = held.enter_context(
            ray_nodes(free_port(), nodes=2, cpus=0, variables=variables, options=options)
        )
        plant = Plant(folder, warm, nodes)
        held.enter_context(plant.held)
        yield plant
        for server in plant.servers:
            server.kill()


@pytest.fixture(scope="module")
def client(plant: Plant) -> httpx.Client:
    return plant.serve("front")


def build(client: httpx.Client, product: str, **request: Any) -> str:
    """Ask for a build. Returns the address of its job."""
    asked: dict[str, Any] = {"json": FOLDER, "params": QUICK} | request
    answer = client.post(f"/v1/products/{product}/builds", **asked)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def job(client: httpx.Client, where: str) -> dict[str, Any]:
    return client.get(where).json()


def ended(client: httpx.Client, where: str) -> dict[str, Any]:
    """The job at its end."""
    until(lambda: job(client, where).get("end_time"), "the end of a job", every=0.1)
    return job(client, where)


def parents_of_builds(plant: Plant, product: str) -> dict[int, str]:
    """The processes of which builds of a product are children, and their names."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
            if {"--no-activate", product, str(plant.folder / "banks")} <= set(words):
                parent = parent_of(int(process.name))
                found[parent] = Path(f"/proc/{parent}/comm").read_text()
        except OSError:
            continue
    return found


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_ten_products_take_turns_on_two_nodes(client: httpx.Client, plant: Plant) -> None:
    """The second builds of the first two products were asked for before the first builds of the others."""
    first, others = ["a", "b"], [f"c-{number}" for number in range(8)]
    products = [*first, *others]
    asked = [(product, build(client, product)) for product in (*first, *first, *others)]
    told = [(product, ended(client, where)) for product, where in asked]
    assert {one["state"] for _, one in told} == {"done"}, told
    starts = sorted((one["start_time"], one["end_time"], product) for product, one in told)
    assert {product for *_, product in starts[:10]} == set(products)
    at_once = [sum(begin <= start < end for begin, end, _ in starts) for start, *_ in starts]
    assert max(at_once) == 2
    for product in products:
        assert plant.store.versions(product) == (["v1", "v2"] if product in first else ["v1"])


def test_a_zip_is_built_on_a_node_to_the_bytes_of_this_machine(client: httpx.Client, plant: Plant) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted((plant.folder / "parts").rglob("*")):
            archive.write(path, path.relative_to(plant.folder).as_posix())
    where = build(client, "zipped", content=stream.getvalue(), headers=ZIP, json=None)
    stages = []
    parents: dict[int, str] = {}

    def over() -> bool:
        now = job(client, where)
        if not parents or now.get("stage") not in stages:
            parents.update(parents_of_builds(plant, "zipped"))
        stages.append(now.get("stage"))
        return bool(now.get("end_time"))

    until(over, "the end of a job")
    now = job(client, where)
    assert now["state"] == "done", now
    assert "training parts" in stages
    assert {name[:5] for name in parents.values()} == {"ray::"}
    assert list((plant.folder / "banks").glob(".*")) == []
    here = plant.folder / "here"
    words = ["build", "zipped", plant.folder / "parts", "--banks", here, "--device", "cpu"]
    status, said = plant.warm.run(*words, "--profile", QUICK["profile"])
    assert status == 0, said
    one, other = (Manifest.read(store.path("zipped", "v1")) for store in (plant.store, BankStore(here)))
    assert (one.files, one.kept, one.calibration) == (other.files, other.kept, other.calibration)


def test_what_makes_no_bank_is_refused_as_on_one_machine(client: httpx.Client, plant: Plant) -> None:
    alone = plant.folder / "alone"
    for kind in ("rgb/000.png", "xyz/000.tiff"):
        (alone / kind).parent.mkdir(parents=True)
        shutil.copy(plant.folder / "parts/train/good" / kind, alone / kind)
    told = ended(client, build(client, "alone", json={"folder": "alone"}))
    assert (told["state"], told["problem"]["code"]) == ("failed", "build_refused")
    assert told["problem"]["detail"].startswith("1 usable good part")


def test_a_cancelled_build_ends_on_its_node(client: httpx.Client, plant: Plant) -> None:
    where = build(client, "never")
    until(lambda: parents_of_builds(plant, "never"), "the build's process", every=0.05)
    client.post(f"{where}/cancel")
    assert ended(client, where)["state"] == "cancelled"
    until(lambda: not parents_of_builds(plant, "never"), "the end of the process", every=0.05)
    assert plant.store.versions("never") == []


def test_a_folder_that_nodes_do_not_see(client: httpx.Client, plant: Plant) -> None:
    """It is gone when its turn comes."""
    shutil.copytree(plant.folder / "parts", plant.folder / "late")
    before = [build(client, f"early-{number}") for number in range(2)]
    where = build(client, "late", json={"folder": "late"})
    shutil.rmtree(plant.folder / "late")
    for one in before:
        client.post(f"{one}/cancel")
    told = ended(client, where)
    assert (told["state"], told["problem"]["code"]) == ("failed", "folder_not_shared")


def test_a_build_goes_on_after_its_front_was_killed(plant: Plant) -> None:
    first = plant.serve("killed")
    where = build(first, "orphan")
    until(lambda: parents_of_builds(plant, "orphan"), "the build's process", every=0.05)
    plant.servers[-1].kill()
    until(lambda: not parents_of_builds(plant, "orphan"), "the end of the process", seconds=60, every=0.05)
    second = plant.serve("killed")
    told = ended(second, where)
    assert (told["state"], told["result"]["version"]) == ("done", "v1"), told
    assert plant.store.versions("orphan") == ["v1"]
    plant.servers[-1].kill()


def test_a_build_that_fits_no_node_fails_at_once(plant: Plant) -> None:
    client = plant.serve("large", TRIBANK_BUILD_DEVICE="cuda")
    told = ended(client, build(client, "large"))
    assert (told["state"], told["problem"]["code"]) == ("failed", "no_node")
    plant.servers[-1].kill()


def test_a_build_whose_node_is_lost_is_built_by_another(client: httpx.Client, plant: Plant) -> None:
    """The last test: one node is left."""
    where = build(client, "moved")
    (runner,) = until(lambda: parents_of_builds(plant, "moved"), "the build's process", every=0.05)
    roots = {process.pid for process in plant.nodes.processes}
    line = [runner]
    while line[-1] not in roots:
        line.append(parent_of(line[-1]))
    for process in line:
        os.kill(process, signal.SIGKILL)
    told = ended(client, where)
    assert (told["state"], told["result"]["version"]) == ("done", "v1"), told
    assert not Path(f"/proc/{runner}").exists()
