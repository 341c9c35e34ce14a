"""A program in the place of `tribank`, as a process of this computer."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from service import commands
from service.commands import CommandFailed, LocalCommands
from tests.waiting import until


def program(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(commands, "TRIBANK", (sys.executable, "-c", text))


async def said(*words: str, **options: Any) -> list[bytes]:
    async with aclosing(LocalCommands().lines(words, **options)) as lines:
        return [line async for line in lines]


def test_lines_come_as_they_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "import os, sys; print(*sys.argv[1:], sep='\\n'); print(os.nice(0) >= 10)")
    assert asyncio.run(said("build", "--json")) == [b"build\n", b"--json\n", b"True\n"]


def test_a_failed_command_tells_its_status_and_its_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "import sys; print('x' * 100_000, file=sys.stderr); sys.exit(4)")
    with pytest.raises(CommandFailed) as failed:
        asyncio.run(said())
    assert (failed.value.status, failed.value.said) == (4, "x" * 100_000)


def test_what_the_check_raises_ends_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By force, where the command does not heed a signal."""
    monkeypatch.setattr(commands, "_TERMINATE_S", 0.2)
    told = tmp_path / "pid"
    text = "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    program(monkeypatch, f"{text}open(sys.argv[1], 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)")

    def check() -> None:
        if told.exists() and told.read_text().endswith("\n"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(said(str(told), check=check))
    until(lambda: not Path(f"/proc/{int(told.read_text())}").exists(), "the end of the process")


def test_whoever_reads_no_more_lines_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "import time\nwhile True:\n    print('step', flush=True)\n    time.sleep(0.01)"
    program(monkeypatch, text)

    async def first() -> int:
        async with aclosing(LocalCommands().lines(())) as lines:
            async for line in lines:
                assert line == b"step\n"
                break
            (process,) = (
                int(name) for name in os.listdir("/proc") if name.isdecimal() and _is_ours(name, text)
            )
        return process

    assert not Path(f"/proc/{asyncio.run(first())}").exists()


def _is_ours(process: str, text: str) -> bool:
    try:
        return text in Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return False
