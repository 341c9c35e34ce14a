"""Where log lines go: a stream that never raises and never waits, and a thread that writes what it is given.

A log on a full disk, a closed pipe or a collector that has stopped reading must not stop the line: what
cannot be written is counted and given up.
"""

from __future__ import annotations

import io
import json
import os
import select
import threading
from collections import deque
from datetime import UTC, datetime

MOST_BYTES = 8 << 20
"""Of lines that wait to be written; above it new ones are given up."""
LAST_LINES_S = 2.0
"""How long `finish` waits for lines that nobody takes."""


class LogLines(io.TextIOBase):
    """A text stream in front of a file descriptor. Any thread may write; its lines keep their order.

    lost: lines that were given up so far. After a gap a line `log_lines_lost` says how many are missing.
    """

    def __init__(self, descriptor: int, *, most_bytes: int = MOST_BYTES) -> None:
        """descriptor: of an open file; it stays open."""
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._bytes = 0  # of lines that wait or are being written
        self._begun = threading.local()  # a line that a thread has not ended yet
        self._torn = False  # the file ends within a line
        self._finishing = False
        self.lost = 0
        self._gap = 0  # of the lost ones, those that the log does not say yet
        self._changed = threading.Condition()  # re-entrant: a finalizer may log while its thread writes here
        self._writer = self._started()

    def write(self, text: str, /) -> int:
        """Hand over the lines that this ends."""
        whole, end, begun = (getattr(self._begun, "text", "") + text).rpartition("\n")
        self._begun.text = begun
        if end:
            self._put(whole + end)
        return len(text)

    def flush(self) -> None:
        """Hand over a line that is not ended. Does not wait until it is written."""
        begun, self._begun.text = getattr(self._begun, "text", ""), ""
        if begun:
            self._put(begun)

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether a person reads along."""
        return os.isatty(self._descriptor)

    def finish(self, timeout_s: float = LAST_LINES_S) -> None:
        """Write what waits, for so long at most. What comes later is lost."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
        self._writer.join(timeout_s)

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._finishing or self._bytes + len(data) > self._most_bytes:
                self._lose(data)
                return
            self._waiting.append((self._gap, data))
            self._gap = 0
            self._bytes += len(data)
            if not self._writer.is_alive():  # something ended it: the lines go on with another
                self._bytes = sum(len(waiting) for _, waiting in self._waiting)
                self._writer = self._started()
            self._changed.notify_all()

    def _started(self) -> threading.Thread:
        writer = threading.Thread(target=self._run, name="tribank-log", daemon=True)
        writer.start()
        return writer

    def _lose(self, data: bytes) -> None:
        lines = max(1, data.count(b"\n"))
        self.lost += lines
        self._gap += lines

    def _run(self) -> None:
        """The writer thread."""
        while (taken := self._next()) is not None:
            gap, data = taken
            failed = False
            try:
                self._write(_told(gap) + data if gap else data)
            except OSError:
                failed = True
            with self._changed:
                self._bytes -= len(data)
                if failed:
                    self._gap += gap
                    self._lose(data)

    def _next(self) -> tuple[int, bytes] | None:
        """The oldest lines that wait, and how many are missing before them; None when all are written and no
        more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finishing)
            return self._waiting.popleft() if self._waiting else None

    def _write(self, data: bytes) -> None:
        """Blocks. Raises OSError."""
        rest = b"\n" + data if self._torn else data
        while rest:
            try:
                taken = os.write(self._descriptor, rest)
            except BlockingIOError:  # another process made the pipe that we share non-blocking
                select.select((), (self._descriptor,), ())
                continue
            rest = rest[taken:]
            self._torn = bool(rest)


def _told(gap: int) -> bytes:
    """The line that says how many are missing."""
    told = {"lines": gap, "event": "log_lines_lost", "level": "warning"}
    stamp = {"timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    return json.dumps(told | stamp).encode() + b"\n"
