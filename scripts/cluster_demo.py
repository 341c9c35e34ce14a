"""`make cluster-demo`: a small cluster on this computer, from nothing; a scorer is killed, no part is lost.

    .venv/bin/python -m scripts.cluster_demo [--parts 120] [--scorers 2] [--lines 2] [--made FOLDER]

A Ray cluster of its own, on free ports of the loopback address and with a token of its own: a head, and a
node with one core for each scorer. `tribank cluster start` starts the scorers, `tribank serve` a front. Lines
send parts of three products; `--made` names a folder with products of your own instead: parts/PRODUCT and
banks/PRODUCT. After a third of the parts the scorer with most banks is killed by SIGKILL. The
table at the end says what became of the parts. The exit status is 0 if none was lost, both scorers run again,
and every part has one score, the same before, during and after. Everything is stopped at the end, also after
Ctrl-C and after an error. Its folders are removed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import secrets
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tifffile
from PIL import Image
from rich.console import Console
from rich.table import Table

from cli.steps import free_port, serving, tribank
from tests.service.cluster.nodes import ray_nodes
from tests.service.postgres import Postgres, programs
from tests.waiting import until

PRODUCTS = ("biscuit", "coaster", "lid")
FEW = ("--train", "5", "--validation", "2", "--test", "3")
WAIT_S = 200  # of a line for an answer; the front answers long before
RETRY_S = 0.5  # after a part that was not scored
_NPZ = {"Content-Type": "application/octet-stream"}
_console = Console()


@dataclass
class Lines:
    """Lines that send parts to the front, one after another, until `stop`.

    bodies: the parts by product and name. statuses: of all answers; 0 where the connection broke.
    scores: of each part. longest_s: the longest wait for an answer, seconds.
    """

    port: int
    bodies: Mapping[tuple[str, str], bytes]
    statuses: Counter[int] = field(default_factory=Counter)
    scores: dict[tuple[str, str], set[float]] = field(default_factory=lambda: defaultdict(set))
    longest_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def products(self) -> list[str]:
        """The products whose parts are sent."""
        return sorted({product for product, _ in self.bodies})

    def start(self, number: int) -> None:
        """Start this number of lines for each product."""
        for product in number * self.products:
            own = [part for part in self.bodies if part[0] == product]
            thread = threading.Thread(target=self._line, args=(own,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Send no more, and wait for the last answers."""
        self._done.set()
        for thread in self._threads:
            thread.join(WAIT_S)

    def send_each(self) -> None:
        """Send every part once."""
        for part in self.bodies:
            self._send(part)

    def sent(self) -> int:
        """The parts that were sent and whose end is known."""
        with self._lock:
            return self.statuses.total()

    def readiness(self) -> dict[str, Any]:
        """What the front says at /readyz."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.request("GET", "/readyz")
        said = json.loads(connection.getresponse().read())
        connection.close()
        return said

    def up(self) -> list[bool]:
        """Whether each scorer answers, as the front says."""
        return [one["answers"] for one in self.readiness().get("scorers", [])]

    def serving(self) -> bool:
        """Whether parts of all products can be scored."""
        products = self.readiness().get("products", [])
        return [one["state"] for one in products] == ["serving"] * len(self.products)

    def _line(self, parts: list[tuple[str, str]]) -> None:
        number = 0
        while not self._done.is_set():
            if self._send(parts[number % len(parts)]) != 200:
                self._done.wait(RETRY_S)
            number += 1

    def _send(self, part: tuple[str, str]) -> int:
        began = time.monotonic()
        status, answer = 0, b""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        with suppress(OSError, HTTPException):
            connection.request("POST", f"/v1/products/{part[0]}/score", self.bodies[part], _NPZ)
            response = connection.getresponse()
            answer = response.read()
            status = response.status
        connection.close()
        with self._lock:
            self.statuses[status] += 1
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if status == 200:
                self.scores[part].add(json.loads(answer)["score"])
        return status


def main() -> int:
    """Run the demo. Returns the exit status."""
    given = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    token = secrets.token_hex(32)
    with ExitStack() as held:
        held.callback(_end_left, token)
        folder = Path(held.enter_context(TemporaryDirectory(prefix="tribank-cluster-demo-")))
        if given.made is None:
            _make(folder, PRODUCTS[: given.products])
        settings = _records(held)
        lines = _cluster(held, folder, token, given, settings)
        _load(lines, given)
        _console.print("Stopping the front, the scorers and Ray.")
    return _report(lines, len(_with_token(token)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cluster_demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--products", type=int, default=3, help="products to make, at most 3")
    parser.add_argument("--made", type=Path, help="folder of products instead: parts/PRODUCT, banks/PRODUCT")
    parser.add_argument("--parts", type=int, default=120, help="parts to send at least")
    parser.add_argument("--scorers", type=int, default=2, help="scorers, each with one core of the node")
    parser.add_argument("--lines", type=int, default=2, help="lines for each product")
    return parser.parse_args()


def _interrupted(number: int, frame: object) -> None:
    """Ctrl-C ends the work once; what it started is then stopped without a further interruption."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _make(folder: Path, products: Sequence[str]) -> None:
    """Render the products and build their banks."""
    for number, product in enumerate(products, 1):
        _console.print(f"Rendering parts and building banks: {product} ({number} of {len(products)})")
        _run("demo-parts", str(folder / "parts"), "--product", product, *FEW)
        _run("build", product, str(folder / "parts" / product), "--banks", str(folder / "banks"))


def _bodies(parts: Path) -> dict[tuple[str, str], bytes]:
    """The test parts as bodies, by product and name. parts: a folder of products."""
    bodies = {}
    for picture in sorted(parts.glob("*/test/*/rgb/*.png")):
        cloud = picture.parents[1] / "xyz" / f"{picture.stem}.tiff"
        body = io.BytesIO()
        np.savez(body, rgb=np.asarray(Image.open(picture)), xyz=tifffile.imread(cloud))
        name = f"{picture.parents[1].name}/{picture.stem}"
        bodies[picture.parents[3].name, name] = body.getvalue()
    return bodies


def _records(held: ExitStack) -> dict[str, str]:
    """Settings that say where the front keeps its records."""
    found = programs()
    if found is None:
        _console.print("There is no PostgreSQL here (initdb): the front keeps its records in SQLite files.")
        return {}
    _console.print("Starting PostgreSQL for the records")
    server = Postgres(found)
    held.callback(server.remove)
    return {"TRIBANK_DATABASE": server.new_database()}


def _cluster(
    held: ExitStack,
    folder: Path,
    token: str,
    given: argparse.Namespace,
    settings: Mapping[str, str],
) -> Lines:
    """Start Ray, the scorers and the front. They are stopped in reverse order."""
    made = (given.made or folder).resolve()
    lines = Lines(free_port(), _bodies(made / "parts"))
    _console.print("Starting Ray: a head and a node")
    nodes = held.enter_context(ray_nodes(free_port(), nodes=1, cpus=given.scorers, token=token))
    os.environ |= {**nodes.environment, "TRIBANK_CLUSTER": nodes.address}
    _console.print(f"Starting {given.scorers} scorers")
    held.enter_context(_scorers(given.scorers, made / "banks"))
    _console.print("Starting the front")
    settings = {**settings, "TRIBANK_MAX_IN_FLIGHT": str(2 * given.lines * len(lines.products))}
    held.enter_context(serving(made / "banks", folder / "state", lines.port, settings=settings))
    held.callback(lines.stop)
    return lines


@contextmanager
def _scorers(number: int, banks: Path) -> Iterator[None]:
    _run("cluster", "start", "--scorers", str(number), "--banks", str(banks), "--device", "cpu")
    try:
        yield
    finally:
        _run("cluster", "stop")


def _load(lines: Lines, given: argparse.Namespace) -> None:
    """Send the parts, and kill a scorer meanwhile. Raises AssertionError if it does not come back."""
    until(lambda: lines.up() == [True] * given.scorers, "a front that sees the scorers", every=0.1)
    until(lines.serving, "the products", every=0.1)
    lines.send_each()
    _console.print(f"Each of the {len(lines.bodies)} parts was scored once. Starting the lines")
    lines.start(given.lines)
    _count(lines, given.parts // 3, given.parts)
    scorers = json.loads(_run("cluster", "status", "--json").splitlines()[-1])
    name, facts = max(
        ((name, row["facts"]) for name, row in scorers.items()), key=lambda one: len(one[1]["versions"])
    )
    _console.print(f"Killing scorer {name} (process {facts['pid']}), which has {facts['versions']}")
    os.kill(facts["pid"], signal.SIGKILL)
    until(lambda: not all(lines.up()), "a front that misses the scorer", every=0.1)
    _console.print(f"Parts sent: {lines.sent()}. The front misses scorer {name}")
    until(lambda: lines.up() == [True] * given.scorers, "a scorer that is back", every=0.1)
    _console.print(f"Parts sent: {lines.sent()}. Scorer {name} is back")
    _count(lines, max(given.parts, lines.sent() + 2 * len(lines.products)), given.parts)
    lines.stop()
    lines.send_each()


def _count(lines: Lines, number: int, total: int) -> None:
    """Wait until this number of parts was sent, and say now and then how many were."""
    while lines.sent() < number:
        before = min(number, lines.sent() + max(1, total // 6))
        until(lambda before=before: lines.sent() >= before, "parts")
        _console.print(f"Parts sent: {lines.sent()} of {max(number, total)}")


def _report(lines: Lines, left: int) -> int:
    """Print the table. Returns the exit status."""
    answered, refused = lines.statuses[200], lines.statuses[503]
    lost = lines.sent() - answered - refused
    scores = max((len(found) for found in lines.scores.values()), default=0)
    table = Table("what", "number")
    for what, found in (
        ("parts sent", lines.sent()),
        ("parts answered", answered),
        ("parts refused with 503", refused),
        ("parts lost", lost),
        ("longest wait, s", f"{lines.longest_s:.1f}"),
        ("different parts", len(lines.scores)),
        ("scores of each part, to the last digit", scores),
        ("processes left", left),
    ):
        table.add_row(what, str(found))
    _console.print(table)
    good = lost == 0 and left == 0 and scores == 1 and len(lines.scores) == len(lines.bodies)
    _console.print("Nothing was lost." if good else "Something went wrong.")
    return 0 if good else 1


def _run(*arguments: str) -> str:
    """Run `tribank`. Returns what it printed; shows it and raises where it failed."""
    done = subprocess.run(tribank(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        _console.print(done.stdout, markup=False)
        raise RuntimeError(f"tribank {arguments[0]} ended with {done.returncode}")
    return done.stdout


def _with_token(token: str) -> list[int]:
    """The processes of this cluster beside this one: those with its token in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if token.encode() in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def _end_left(token: str) -> None:
    """Kill what is left of this cluster, whatever happened before."""
    for process in _with_token(token):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    until(lambda: not _with_token(token), "the end of the cluster's processes", seconds=20)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        _console.print("Interrupted. Everything is stopped.")
        raise SystemExit(130) from None
