"""Download official weights. Tribank downloads only if a command asks for a download."""

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

DownloadProgress = Callable[[int, int | None], None]
"""Callback with the bytes so far and the total bytes (None if the server gives no total)."""


def fetch(
    store: WeightStore, name: str, progress: DownloadProgress = lambda done, total: None
) -> StoredWeights:
    """Download weights from their official address, check sha256 and every tensor, and convert the file.

    Args:
        store: where the converted file is added.
        name: a registered name or "timm:<model>".
        progress: called after every piece.

    If a check fails, no file remains. Raises MissingWeights if the file cannot be downloaded (no internet, no
    direct address), with the file to copy and its folder; BadWeights if the address serves another file.
    """
    weights = official_weights(name)
    if weights.url is None:
        raise MissingWeights(how_to_get(weights, store.folder))
    if not weights.url.startswith("https://"):
        raise ValueError(f"{weights.url} is not an https address, so nothing was downloaded.")
    store.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=store.folder) as folder:
        file = Path(folder) / weights.files[0]
        try:
            digest = _download(weights.url, file, progress)
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise MissingWeights(f"{weights.url}: {error}. {how_to_get(weights, store.folder)}") from error
        _check_digest(weights, digest)
        return store.add(file, name)


def _download(url: str, file: Path, progress: DownloadProgress) -> str:
    """Download `url` into `file`. Returns the hex sha256. Raises ConnectionError for an incomplete
    download."""
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
        raise ConnectionError(f"the download ended after {done} of {total} bytes")
    return digest.hexdigest()


def _check_digest(weights: OfficialWeights, digest: str) -> None:
    if not digest.startswith(weights.sha256):
        raise BadWeights(
            f"{weights.url} serves another file than the official one: sha256 {digest}, expected "
            f"{weights.sha256}. Nothing was kept."
        )
