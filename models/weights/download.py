"""Downloading official weights, only when a command asks for it."""

from __future__ import annotations

import hashlib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from models.weights.catalogue import OfficialWeights, official_weights
from models.weights.store import BadWeights, MissingWeights, StoredWeights, WeightStore, how_to_get

PIECE = 1 << 20
TIMEOUT_S = 60.0

Progress = Callable[[int, int | None], None]
"""Called with bytes so far and bytes in all (None where the server does not say)."""


def fetch(store: WeightStore, name: str, progress: Progress = lambda done, total: None) -> StoredWeights:
    """Download `name` from its official place, check sha256 and every tensor, convert it into the store.

    Nothing is left behind unless everything fits. Raises MissingWeights where the file cannot be had (no
    internet, no direct address), saying which file to copy where; BadWeights where it is another file.
    """
    weights = official_weights(name)
    if weights.url is None:
        raise MissingWeights(how_to_get(weights, store.folder))
    if not weights.url.startswith("https://"):
        raise ValueError(f"{weights.url} is not https")
    store.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=store.folder) as folder:
        file = Path(folder) / weights.files[0]
        try:
            digest = _download(weights.url, file, progress)
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise MissingWeights(f"{weights.url}: {error}. {how_to_get(weights, store.folder)}") from error
        _refuse_other(weights, digest)
        return store.add(file, name)


def _download(url: str, file: Path, progress: Progress) -> str:
    """Write what `url` answers to `file`; its hex sha256."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, file.open("wb") as target:  # noqa: S310
        length = answer.headers.get("Content-Length")
        total, done = int(length) if length else None, 0
        while piece := answer.read(PIECE):
            target.write(piece)
            digest.update(piece)
            done += len(piece)
            progress(done, total)
    if total is not None and done != total:
        raise ConnectionError(f"the answer ended after {done} of {total} bytes")
    return digest.hexdigest()


def _refuse_other(weights: OfficialWeights, digest: str) -> None:
    if not digest.startswith(weights.sha256):
        raise BadWeights(f"{weights.url} answered a file with sha256 {digest}, expected {weights.sha256}")
