"""results.jsonl: one line a finished evaluation, safe against being killed at any moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from evaluation.product_evaluation import Evaluation

NAME = "results.jsonl"


class ResultLog:
    """The finished evaluations of one output folder, by fingerprint. One process writes it at a time."""

    def __init__(self, folder: Path) -> None:
        """Read what is there. A line that is torn or from another version counts as not finished."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / NAME
        self._known = {one.fingerprint: one for one in self._read()}

    def get(self, fingerprint: str) -> Evaluation | None:
        """The finished evaluation, if there is one."""
        return self._known.get(fingerprint)

    def add(self, evaluation: Evaluation) -> None:
        """Append a line and have it on the disk before returning."""
        with self.path.open("ab+") as file:
            if file.tell() and not self._ends_whole():
                file.write(b"\n")
            file.write(evaluation.to_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._known[evaluation.fingerprint] = evaluation

    def _ends_whole(self) -> bool:
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
