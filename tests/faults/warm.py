"""A process that has imported everything, and forks the real `tribank` command within milliseconds.

What is forked runs `tribank.main` as the command does, in a session of its own, until it ends or is killed.
Only its imports and the default networks are its parent's: a fault then costs a second instead of ten.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self

from tests.waiting import until

ROOT = Path(__file__).parents[2]


class Warm:
    """Starts commands. Use as a context manager; what still runs at the end is killed."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.faults.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._started: list[Forked] = []
        assert self._read() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        for command in self._started:
            command.kill()
        with self._process:  # closes its pipes, at which it ends, and waits for it
            pass

    def start(
        self,
        arguments: Sequence[str],
        said: Path,
        environment: Mapping[str, str] | None = None,
        hook: str = "",
        folder: Path | None = None,
        errors: Path | None = None,
    ) -> Forked:
        """Fork `tribank` with these arguments.

        said: the file for what the command prints, on either stream. errors: the file for the stream of
        errors, if that is another one. hook: a function `module:name` that the command calls first. folder:
        where the command works; default: where the tests do.
        """
        request = {"argv": list(arguments), "env": dict(environment or {}), "hook": hook}
        places = {"said": said, "errors": errors or said, "folder": folder or Path.cwd()}
        pid = self.ask(request | {name: str(place) for name, place in places.items()})
        self._started.append(Forked(pid, said, self))
        return self._started[-1]

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        """Run `tribank` with these arguments to its end. Returns its exit status and what it printed."""
        with TemporaryDirectory() as folder:
            said = Path(folder) / "said"
            return self.start([str(argument) for argument in arguments], said).wait(), said.read_text()

    def ask(self, request: Mapping[str, Any]) -> Any:
        """One request, one answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Command(Protocol):
    """A command that was started. said: the file that it prints to."""

    pid: int
    said: Path

    def poll(self) -> int | None:
        """Its exit status, minus the signal that killed it; None while it runs."""
        ...

    def wait(self, seconds: float = 200.0) -> int:
        """Its exit status, once it has ended."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to it alone."""
        ...

    def kill(self) -> None:
        """kill -9, with what it started."""
        ...


class _Started:
    """What both kinds of command do in the same way."""

    pid: int

    def poll(self) -> int | None:
        raise NotImplementedError

    def wait(self, seconds: float = 200.0) -> int:
        until(lambda: self.poll() is not None, f"the end of process {self.pid}", seconds=seconds)
        status = self.poll()
        assert status is not None
        return status

    def signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()


class Forked(_Started):
    """A command that the warm process forked."""

    def __init__(self, pid: int, said: Path, warm: Warm) -> None:
        self.pid = pid
        self.said = said
        self._warm = warm
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            self._status = self._warm.ask({"poll": self.pid})
        return self._status


class Real(_Started):
    """The command as a person starts it, its imports included. environment: beside the process's own."""

    def __init__(
        self, arguments: Sequence[str], said: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        with said.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "tribank.py"), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self._process.pid
        self.said = said

    def poll(self) -> int | None:
        return self._process.poll()


def default_networks() -> object:
    """The networks of the default profile. While this object lives, they are in memory, as in a server, and
    no bank reads them again: models/weights/networks.py."""
    from models.extraction import Extractor
    from models.weights.store import WeightStore
    from recipes.profiles import DEFAULT_PROFILE, find_profile

    profile = find_profile(DEFAULT_PROFILE)
    return Extractor(profile.extraction, WeightStore(), rgb_size=profile.preparation.rgb_size)


def _main() -> None:
    from models.numerics.process import prepare_process

    prepare_process(searches=True)
    for name in ("cli.main", "service.server", "banks.versions.builder", "banks.detector"):
        import_module(name)
    networks = default_networks()
    # No collection looks at what was imported: it would write to those pages, and each child would copy them.
    gc.freeze()
    # Not `for line in sys.stdin`: that reads ahead, and a child must find nothing of what is not its own.
    print("ready", flush=True)
    while line := sys.stdin.readline():
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        elif (answer := os.fork()) == 0:
            return _become(request)
        print(json.dumps(answer), flush=True)
    del networks


def _become(request: Mapping[str, Any]) -> None:
    """The child: a `tribank` command until the interpreter's end."""
    os.setsid()
    os.chdir(request["folder"])
    said, errors = (
        os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for name in ("said", "errors")
    )
    null = os.open(os.devnull, os.O_RDONLY)
    os.environ.update(request["env"])
    sys.argv = ["tribank", *request["argv"]]
    for number, target in ((0, null), (1, said), (2, errors)):
        os.dup2(target, number)
    if request["hook"]:
        module, _, name = request["hook"].partition(":")
        getattr(import_module(module), name)()
    import tribank

    tribank.main()


if __name__ == "__main__":
    _main()
