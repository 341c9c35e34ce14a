"""A cache of patches on disk, by the content of their part, so that no part is extracted twice."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.atomic_file import replacing
from models.features import Patches
from models.layout import GridLayout, GroupLayout

_AFTER_CLEARING = 0.9
"""Share of the limit that remains after clearing. Clearing more at once makes clearing rare."""


@dataclass(frozen=True, slots=True)
class CachedPatches:
    """Patches of one part. milliseconds: time of their extraction when it was computed."""

    patches: Patches
    milliseconds: float


class FeatureCache:
    """A folder of patches by key with a size limit. Entries are complete; a damaged entry counts as missing.

    Several processes may share the folder. Each process limits the size that it knows.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """limit: bytes on disk. Above the limit, the least recently used entries are removed."""
        self.folder = folder
        self.limit = limit
        self._size = sum(size for _, size, _ in self._files())
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> CachedPatches | None:
        """The patches stored under a key, on the CPU; None if there are none."""
        path = self._path(key)
        try:
            with safe_open(path, "pt") as file:
                facts = file.metadata()
                side = int(facts["side"])
                grouped = "pixel" in file.keys()  # noqa: SIM118
                layout = GroupLayout(file.get_tensor("pixel").numpy(), side) if grouped else GridLayout(side)
                entry = CachedPatches(Patches(file.get_tensor("rows"), layout), float(facts["milliseconds"]))
            os.utime(path)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            self.misses += 1
            return None
        self.hits += 1
        return entry

    def put(self, key: str, entry: CachedPatches) -> None:
        """Store patches of a grid or of point groups. An entry above the limit is removed again."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        layout = entry.patches.layout
        tensors = {"rows": entry.patches.rows.contiguous().cpu()}
        side = layout.side
        if isinstance(layout, GroupLayout):
            tensors["pixel"], side = torch.from_numpy(layout.pixel), layout.source
        facts = {"side": str(side), "milliseconds": repr(entry.milliseconds)}
        with replacing(path) as partial:
            save_file(tensors, partial, metadata=facts)
            size = partial.stat().st_size
        self._size += size
        if self._size > self.limit:
            self._clear()

    def _clear(self) -> None:
        files = sorted(self._files())
        self._size = sum(size for _, size, _ in files)
        for _, size, path in files:
            if self._size <= _AFTER_CLEARING * self.limit:
                break
            path.unlink(missing_ok=True)
            self._size -= size

    def _files(self) -> list[tuple[int, int, Path]]:
        """Last use, bytes and path of every file, including files of killed writers."""
        files = []
        for path in self.folder.glob("*/*"):
            try:
                facts = path.stat()
            except FileNotFoundError:  # another process removed the file
                continue
            files.append((facts.st_mtime_ns, facts.st_size, path))
        return files

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"
