"""manifest.json: everything a version must say about itself."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from banks.calibration import Calibration
from recipes.profile import Profile

MANIFEST = "manifest.json"
SCHEMA_VERSION = 3
"""Raise it whenever an older version's files would be read with another meaning."""
_LIBRARIES = ("tribank", "torch", "timm", "faiss-cpu", "faiss-gpu", "open3d-cpu", "numpy", "scikit-learn")


class BankFacts(BaseModel):
    """One memory bank: `side` x `side` patches a part (None: point groups), `rows` kept of `seen` training
    patches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: int | None
    dimension: int
    seen: int
    rows: int


class Manifest(BaseModel):
    """The facts of one bank version. Unknown fields are refused: they belong to a newer Tribank."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    product: str
    created: datetime
    profile: Profile
    seed: int
    device: str
    training_parts: tuple[str, ...]
    skipped_parts: dict[str, str] = Field(default_factory=dict)
    """Good parts that could not be used, with the reason."""
    banks: dict[str, BankFacts]
    decision: dict[str, Any]
    calibration: Calibration
    weights: dict[str, str]
    """sha256 of every network's weights, by name."""
    files: dict[str, str]
    """sha256 of every file that scoring needs, by name."""
    kept: dict[str, str] = Field(default_factory=dict)
    """sha256 of the features of its good parts, by name; empty where it does not keep them."""
    libraries: dict[str, str]

    @field_validator("schema_version")
    @classmethod
    def _known_schema(cls, found: int) -> int:
        if found != SCHEMA_VERSION:
            raise ValueError(
                f"made by another Tribank (schema {found}, this one reads {SCHEMA_VERSION}): build it again"
            )
        return found

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read and validate. Raises OSError or ValueError (pydantic's ValidationError)."""
        return cls.model_validate_json((folder / MANIFEST).read_bytes())

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a version directory that is not yet published."""
        (folder / MANIFEST).write_text(self.model_dump_json(indent=1) + "\n")


def library_versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def now() -> datetime:
    """The present, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
