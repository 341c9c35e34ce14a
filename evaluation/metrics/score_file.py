"""Read a file of image scores by name, from any method."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = frozenset({".npy", ".tif", ".tiff", ".png"})


def read_scores(path: Path) -> dict[str, float]:
    """Read scores by name from a JSON object {name: score}, or from a CSV file with the columns name and
    score.

    Names are paths in the folder of maps, such as "crack/003", with or without a suffix. The first line of a
    CSV file may be a heading. Raises ValueError with the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _json_rows(text) if path.suffix.lower() == ".json" else _csv_rows(text)
        scores: dict[str, float] = {}
        for place, name, score in rows:
            if not math.isfinite(score):
                raise ValueError(f"{place}: the score of {name} is not a finite number")
            if name in scores:
                raise ValueError(f"{place}: {name} occurs twice")
            scores[name] = score
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as scores: {error}") from error
    return scores


def _json_rows(text: str) -> Iterator[tuple[str, str, float]]:
    document = json.loads(text, object_pairs_hook=tuple, parse_int=float)  # a list stays a list
    if not isinstance(document, tuple):
        raise ValueError("the file must be one object {name: score}")
    for name, score in document:
        yield "JSON", _plain(name), score if isinstance(score, float) else math.nan


def _csv_rows(text: str) -> Iterator[tuple[str, str, float]]:
    for line, row in enumerate(csv.reader(text.splitlines()), start=1):
        if not row:
            continue
        if len(row) != 2:
            raise ValueError(f"line {line}: expected two columns, name and score")
        try:
            score = float(row[1])
        except ValueError:
            if line == 1:
                continue
            raise ValueError(f"line {line}: {row[1]!r} is not a score") from None
        yield f"line {line}", _plain(row[0]), score


def _plain(name: str) -> str:
    """A name without the suffix of an image. Other dots are kept ("part.7")."""
    path = Path(name.strip())
    return (path.with_suffix("") if path.suffix.lower() in SUFFIXES else path).as_posix()
