"""A real PostgreSQL on a Unix socket, started by the tests; nothing in it outlives a crash of the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from psycopg import sql

from tests.waiting import until

_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB")


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).resolve().parent if there else None


class Postgres:
    """A server of PostgreSQL with databases for the tests."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(mkdtemp(prefix="tribank-postgres-", dir="/tmp"))
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._user:
            found = pwd.getpwnam(self._user)
            os.chown(self._folder, found.pw_uid, found.pw_gid)
        self._made = 0
        self._server: subprocess.Popen[bytes] | None = None
        options = ("--no-sync", "--auth=trust", "--username=tribank", "--encoding=UTF8", "--locale=C")
        self._run("initdb", "--pgdata", str(self._folder / "data"), *options).wait(100)
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = ("listen_addresses=", f"unix_socket_directories={self._folder}", *_FAST)
        given = [word for setting in settings for word in ("-c", setting)]
        self._server = self._run("postgres", "-D", str(self._folder / "data"), *given)
        until(self._answers, "PostgreSQL")

    def stop(self) -> None:
        """End the server and all connections at once, as a crash does."""
        assert self._server is not None
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(100)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """The server and its connections do nothing meanwhile, as on a disk that does not answer."""
        assert self._server is not None
        server = self._server.pid
        children = Path(f"/proc/{server}/task/{server}/children").read_text()
        processes = [server, *map(int, children.split())]
        try:
            for process in processes:
                with suppress(ProcessLookupError):  # its work was done
                    os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in processes:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server, and delete all that it kept."""
        self.stop()
        shutil.rmtree(self._folder)

    def new_database(self) -> str:
        """Create an empty database. Returns its URI."""
        self._made += 1
        name = f"records{self._made}"
        with closing(psycopg.connect(self._uri("postgres"), autocommit=True)) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._uri(name)

    def _uri(self, database: str) -> str:
        return f"postgresql://tribank:the-secret@/{database}?host={self._folder}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._uri("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        said = (self._folder / "said").open("ab")
        with said:
            command = [str(self._programs / program), *arguments]
            return subprocess.Popen(command, user=self._user, stdout=said, stderr=said, cwd="/")
