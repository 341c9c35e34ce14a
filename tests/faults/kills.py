"""kill -9 at a random moment: of a build, and of what publishes, activates and removes versions."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold
from tests.faults.bench import Bench
from tests.faults.case import Case, Outcome
from tests.faults.scene import COARSE, PRODUCT, PROFILE, VERSIONS, scored
from tests.faults.warm import Command, Real

REAL_EVERY = 25
"""One build in so many is the command as a person starts it, its imports included."""
PUBLISHED = 12  # versions that a publisher makes before it ends


def run_builds(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Builds, killed after anything from nothing to what a whole one takes."""
    store = BankStore(bench.banks("kills"))
    arguments = ["build", PRODUCT, str(bench.scene.parts), "--banks", str(store.root)]
    arguments += ["--profile", PROFILE, "--set", COARSE, "--device", "cpu"]
    started = time.monotonic()
    command = bench.warm.start(arguments, bench.folder / "kills.log")
    assert command.wait() == 0, command.said.read_text()
    whole = time.monotonic() - started
    store.activate(PRODUCT, VERSIONS[0])
    for number in numbers:
        draw = random.Random(number)
        if number % REAL_EVERY == REAL_EVERY - 1:
            command, latest = Real(arguments, bench.folder / "kills.log"), 15.0
        else:
            command, latest = bench.warm.start(arguments, bench.folder / "kills.log"), 1.1 * whole
        yield _judged(bench, store, number, _killed(command, latest * draw.random()))


def run_publishing(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """A process that publishes, activates, moves thresholds and removes versions, killed in the middle."""
    store = BankStore(bench.banks("publishing"))
    environment = {"FAULTS_BANKS": str(store.root)}
    started = time.monotonic()
    command = bench.warm.start([], bench.folder / "publishing.log", environment, f"{__name__}:publish")
    assert command.wait() == 0, command.said.read_text()
    whole = time.monotonic() - started
    for number in numbers:
        draw = random.Random(number)
        command = bench.warm.start([], bench.folder / "publishing.log", environment, f"{__name__}:publish")
        yield _judged(bench, store, number, _killed(command, 1.1 * whole * draw.random()))


def publish() -> None:
    """Runs in the child: what a builder and the service's routes do to a bank root, again and again."""
    store = BankStore(Path(os.environ["FAULTS_BANKS"]))
    for turn in range(PUBLISHED):
        with store.building(PRODUCT) as scratch:
            staged = scratch / "version"
            shutil.copytree(store.path(PRODUCT, VERSIONS[turn % 2]), staged)
            version = store.publish(PRODUCT, staged, check=lambda _: None)
        store.set_shadow(PRODUCT, VERSIONS[1 - turn % 2])
        move_threshold(store, PRODUCT, version, MovedThreshold(threshold=None, rate=0.1))
        store.activate(PRODUCT, VERSIONS[turn % 2])
        store.delete(PRODUCT, version)
    sys.exit(0)


def _killed(command: Command, after_s: float) -> int:
    """Its exit status."""
    time.sleep(after_s)
    command.kill()
    return command.wait()


def _judged(bench: Bench, store: BankStore, number: int, status: int) -> Outcome:
    kind = "killed" if status == -signal.SIGKILL else "done before"
    if status not in (0, -signal.SIGKILL):
        return Outcome(number, "another end", False, f"exit status {status}")
    faults = list(_faults(bench, store))
    for version in store.versions(PRODUCT):
        if version not in (*VERSIONS, store.current(PRODUCT), store.shadow(PRODUCT)):
            store.delete(PRODUCT, version)
    return Outcome(number, "; ".join(faults) or kind, not faults, f"status {status}")


def _faults(bench: Bench, store: BankStore) -> Iterator[str]:
    """What is not as it must be after a kill."""
    versions = store.versions(PRODUCT)
    if not set(VERSIONS) <= set(versions):
        yield "a version lost"
    if any(store.verify(PRODUCT, version) for version in versions):
        yield "half a version"
    active = store.current(PRODUCT)
    if active not in versions:
        yield "no active version"
        return
    coreset = Manifest.read(store.path(PRODUCT, active)).profile.coreset
    expected = bench.scene.scores[VERSIONS[0 if coreset == float(COARSE.partition("=")[2]) else 1]]
    if scored(store.path(PRODUCT, active), bench.scene.sample).score != expected:
        yield "another score"
    yield from left_behind(store)


def left_behind(store: BankStore) -> list[str]:
    """What the next build does not remove, in one sentence or none."""
    with store.building(PRODUCT) as scratch:
        folder = store.root / PRODUCT
        graves = [path for path in folder.glob(".deleted-*") if not any(path.iterdir())]
        left = set(folder.glob(".*")) - {scratch, scratch.with_name(f".lock{scratch.name}"), *graves}
    kinds = sorted({path.name.partition("-")[0] for path in left})
    return [f"left behind: {', '.join(kinds)}"] if kinds else []


BUILDS = Case("kills", "kill -9 of `tribank build` at a random moment", 200, run_builds, "R1")
PUBLISHING = Case(
    "kills-publishing",
    "kill -9 while versions are published, activated, given thresholds, and removed",
    200,
    run_publishing,
    "R1",
)
