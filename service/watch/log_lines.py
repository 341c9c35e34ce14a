"""A stream for log lines that never raises and never waits. A thread writes the lines.

A full disk, a closed pipe or a log collector that stopped reading must not stop the server. Lines that cannot
be written are counted and dropped.
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
"""Most bytes of lines that wait to be written. Further lines are dropped."""
LAST_LINES_S = 2.0
"""How long `finish` waits until the last lines are written."""


class LogLines(io.TextIOBase):
    """A text stream in front of a file descriptor. Any thread may write. Lines keep their order.

    lost: number of lines dropped so far. After a gap, the line `log_lines_lost` says how many are missing.
    """

    def __init__(self, descriptor: int, *, most_bytes: int = MOST_BYTES) -> None:
        """descriptor: of an open file, which stays open. most_bytes: of lines that wait."""
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._bytes = 0  # of the lines that wait or are being written
        self._partial = threading.local()  # the unfinished line of each thread
        self._torn = False  # whether the file ends in the middle of a line
        self._finishing = False
        self.lost = 0
        self._gap = 0  # lost lines that the log does not report yet
        self._changed = threading.Condition()  # re-entrant: a finalizer may log while its thread is inside
        self._writer = self._start_writer()

    def write(self, text: str, /) -> int:
        """Queue all lines that `text` completes."""
        whole, end, partial = (getattr(self._partial, "text", "") + text).rpartition("\n")
        self._partial.text = partial
        if end:
            self._put(whole + end)
        return len(text)

    def flush(self) -> None:
        """Queue the unfinished line. Does not wait until the line is written."""
        partial, self._partial.text = getattr(self._partial, "text", ""), ""
        if partial:
            self._put(partial)

    def writable(self) -> bool:
        """Always True."""
        return True

    def isatty(self) -> bool:
        """Whether the file is a terminal."""
        return os.isatty(self._descriptor)

    def finish(self, timeout_s: float = LAST_LINES_S) -> None:
        """Write the lines that wait, for at most `timeout_s`. Later lines are lost."""
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
            if not self._writer.is_alive():  # the writer ended unexpectedly: start another
                self._bytes = sum(len(waiting) for _, waiting in self._waiting)
                self._writer = self._start_writer()
            self._changed.notify_all()

    def _start_writer(self) -> threading.Thread:
        writer = threading.Thread(target=self._run, name="tribank-log", daemon=True)
        writer.start()
        return writer

    def _lose(self, data: bytes) -> None:
        lines = max(1, data.count(b"\n"))
        self.lost += lines
        self._gap += lines

    def _run(self) -> None:
        """The writer thread."""
        while (entry := self._next()) is not None:
            gap, data = entry
            failed = False
            try:
                self._write(_gap_line(gap) + data if gap else data)
            except OSError:
                failed = True
            with self._changed:
                self._bytes -= len(data)
                if failed:
                    self._gap += gap
                    self._lose(data)

    def _next(self) -> tuple[int, bytes] | None:
        """The number of lines lost before the oldest lines that wait, and these lines. None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finishing)
            return self._waiting.popleft() if self._waiting else None

    def _write(self, data: bytes) -> None:
        """Write all bytes; blocks. Raises OSError."""
        rest = b"\n" + data if self._torn else data
        while rest:
            try:
                written = os.write(self._descriptor, rest)
            except BlockingIOError:  # another process made the shared pipe non-blocking
                select.select((), (self._descriptor,), ())
                continue
            rest = rest[written:]
            self._torn = bool(rest)


def _gap_line(gap: int) -> bytes:
    """The log line that reports the number of lost lines."""
    line = {"lines": gap, "event": "log_lines_lost", "level": "warning"}
    stamp = {"timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    return json.dumps(line | stamp).encode() + b"\n"
