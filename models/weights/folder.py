"""Where networks' weights lie, and which are there: a light module, for commands to start at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from models.weights.catalogue import official_weights

DEFAULT_WEIGHTS = Path("weights")
"""In the folder where the process runs."""


def converted(folder: Path, name: str) -> Path:
    """Where the converted file of `name` is, once there is one."""
    return folder / f"{name.replace(':', '-').replace('/', '-')}.safetensors"


def find_weights(folder: Path, name: str) -> Path | None:
    """The converted file of `name`, else an official one under a usual name, else its package's."""
    weights = official_weights(name)
    usual = (folder / file for file in (converted(folder, name).name, *weights.files))
    return next((path for path in usual if path.is_file()), None) or weights.packaged()


def missing_weights(folder: Path, names: Iterable[str]) -> list[str]:
    """Those of the names whose weights are not on this machine."""
    return [name for name in names if find_weights(folder, name) is None]
