"""A process that has imported everything, and forks the real `tribank` command within milliseconds.

What is forked runs `tribank.main` as the command does, in a session of its own, until it ends or is killed.
Its imports, the default networks, the tree of commands and the OpenAPI document are its parent's: a fault
then costs a second instead of ten.

All workers of a test run share one such process. It listens on a socket (tests/faults/warm_client.py), ends
with the last connection, and kills what a connection started once that connection is closed.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, Protocol, Self

from tests.faults import warm_client
from tests.faults.warm_client import LIMIT, asked, connected
from tests.waiting import until

ROOT = Path(__file__).parents[2]
IMPORTED = (
    *("cli.main", "service.server", "banks.versions.builder", "banks.versions.plan", "banks.detector"),
    *("sklearn.linear_model", "sklearn.random_projection", "uvicorn.lifespan.on", "uvicorn.loops.uvloop"),
    *("anyio._backends._asyncio", "banks.decision.exceedances", "imagecodecs._png"),
)
"""What commands import, also those that import it only when they need it."""
KERNELS = ("banks/methods/memory_bank/nearest_kernels.ll",)
"""Machine code that commands make, beside that of the default networks."""


class Warm:
    """Starts commands. Use as a context manager; what still runs at the end is killed.

    folder: where the process listens. Whoever comes first starts the process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def tribank(self) -> tuple[str, ...]:
        """The program that takes `tribank`'s place, for whoever starts it as a child: a shell, a server."""
        return _program(str(self._folder / "socket"))

    def __enter__(self) -> Self:
        place = str(self._folder / "socket")
        with _locked(self._folder):
            try:
                self._connection = connected(place)
            except OSError:
                environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
                command = [sys.executable, "-W", "ignore", "-m", __name__, str(self._folder)]
                subprocess.run(command, stdin=subprocess.DEVNULL, env=environment, check=True)
                self._connection = connected(place)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

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
        request = {"argv": arguments, "env": environment or {}, "hook": hook}
        request["folder"] = str(folder or Path.cwd())
        with said.open("ab") as output, (errors or said).open("ab") as complaints:
            pid = asked(self._connection, request, (output.fileno(), complaints.fileno()))
        return Forked(pid, said, self._connection)

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        """Run `tribank` with these arguments to its end. Returns its exit status and what it printed."""
        with TemporaryDirectory() as folder:
            said = Path(folder) / "said"
            return self.start([str(argument) for argument in arguments], said).wait(), said.read_text()


def _program(place: str) -> tuple[str, ...]:
    return sys.executable, "-IS", str(warm_client.__file__), place


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One at a time starts the process, or ends it."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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

    def __init__(self, pid: int, said: Path, connection: socket.socket) -> None:
        self.pid = pid
        self.said = said
        self._connection = connection
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            self._status = asked(self._connection, {"poll": self.pid})
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


def _main(folder: Path) -> None:
    """Returns once the process listens; the process itself is a child."""
    from models.numerics.process import prepare_process

    gc.disable()  # it would look at every module again and again
    prepare_process(searches=True)
    for name in IMPORTED:
        import_module(name)
    networks = default_networks()
    _make_once()
    machine_code = import_module("models.numerics.machine_code")
    for place in KERNELS:
        machine_code.load_kernels(ROOT / place)
    # No collection looks at what was imported: it would write to those pages, and each child would copy them.
    gc.freeze()
    gc.enable()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        (folder / "socket").unlink(missing_ok=True)
        listener.bind(str(folder / "socket"))
        listener.listen(100)
        if os.fork() == 0:
            os.setsid()
            _serve(folder, listener)
            os._exit(0)  # the networks' threads are the parent's: their end would be awaited for ever
    del networks


def _make_once() -> None:
    """What each command would make again, to the same content: the tree of commands, the OpenAPI document."""
    import typer.main

    from cli.main import app as commands
    from service import app as service
    from service.settings import Settings

    for module, name, argument in (
        (typer.main, "get_command", commands),
        (service, "make_document", service.create_app(Settings())),
    ):
        made = getattr(module, name)(argument)
        setattr(module, name, lambda _, made=made: made)


def _serve(folder: Path, listener: socket.socket) -> None:
    """Answer until nobody is connected any more. A child becomes a command in here."""
    users: dict[socket.socket, set[int]] = {}
    while users or _someone_comes(folder, listener):
        for ready in select.select([listener, *users], [], [])[0]:
            if ready is listener:
                users[listener.accept()[0]] = set()
                continue
            message, streams = b"", []
            with suppress(ConnectionError):  # of a program that was killed
                message, streams, _, _ = socket.recv_fds(ready, LIMIT, 2)
            if not message:
                ready.close()
                _end(users.pop(ready))
                continue
            request = json.loads(message)
            if "poll" in request:
                answer = _status(request["poll"], users[ready])
            elif (answer := os.fork()) == 0:
                for one in (listener, *users):
                    one.close()
                _become(request, streams, str(folder / "socket"))
            else:
                users[ready].add(answer)
            for stream in streams:
                os.close(stream)
            with suppress(ConnectionError):
                ready.send(json.dumps(answer).encode())


def _someone_comes(folder: Path, listener: socket.socket) -> bool:
    """Whether somebody has asked for a connection; if not, nobody can any more."""
    with _locked(folder):
        if select.select([listener], [], [], 0)[0]:
            return True
        (folder / "socket").unlink()
        return False


def _status(pid: int, started: set[int]) -> int | None:
    """A child's exit status, None while it runs."""
    pid, status = os.waitpid(pid, os.WNOHANG)
    started.discard(pid)
    return os.waitstatus_to_exitcode(status) if pid else None


def _end(started: set[int]) -> None:
    """Kill these children, with what they started."""
    for pid in started:
        for kill in (os.kill, os.killpg):  # a child of this moment has no group of its own yet
            with suppress(ProcessLookupError):
                kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _become(request: Mapping[str, Any], streams: Sequence[int], place: str) -> NoReturn:
    """The child: a `tribank` command until its end. What it starts as a process of its own is forked as
    well."""
    os.setsid()
    os.chdir(request["folder"])
    null = os.open(os.devnull, os.O_RDONLY)
    for number, target in enumerate((null, *streams)):
        os.dup2(target, number)
    for one in (null, *streams):
        os.close(one)
    # The parent's objects took their streams for files in which one can seek.
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.environ.update(request["env"])
    sys.argv = ["tribank", *request["argv"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import tribank
    from service import commands

    commands.TRIBANK = _program(place)
    if request["hook"]:
        module, _, name = request["hook"].partition(":")
        getattr(import_module(module), name)()
    _end_with(tribank.main)


def _end_with(main: Callable[[], None]) -> NoReturn:
    """Run this function, and end as the interpreter does, only without freeing what the parent made: a child
    would first copy all of it."""
    status = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # pyright: ignore  # waits for the threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
