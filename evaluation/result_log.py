"""results.jsonl: one line per finished evaluation. A kill at any moment loses no finished line."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluation.product_evaluation import Evaluation

NAME = "results.jsonl"


class OutputInUse(RuntimeError):
    """Another process evaluates into this output folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold an output folder, so that no other process evaluates into it. Raises OutputInUse."""
    with (folder / NAME).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            detail = f"Another evaluation writes to {folder}. Wait for it, or choose another --out."
            raise OutputInUse(detail) from None
        yield


class ResultLog:
    """The finished evaluations of an output folder, by fingerprint. Only one process may write at a time, as
    `alone_in` sees to."""

    def __init__(self, folder: Path) -> None:
        """Read the existing lines. An incomplete line, or a line of another version, counts as not
        finished."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / NAME
        self._known = {evaluation.fingerprint: evaluation for evaluation in self._read()}

    def get(self, fingerprint: str) -> Evaluation | None:
        """The finished evaluation, if there is one."""
        return self._known.get(fingerprint)

    def add(self, evaluation: Evaluation) -> None:
        """Append a line and flush the line to disk."""
        with self.path.open("ab+") as file:
            if file.tell() and not self._ends_with_newline():
                file.write(b"\n")
            file.write(evaluation.to_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._known[evaluation.fingerprint] = evaluation

    def _ends_with_newline(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"

    def _read(self) -> Iterator[Evaluation]:
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield Evaluation.from_json(line)
            except (ValueError, TypeError, KeyError):
                continue
