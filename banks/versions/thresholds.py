"""Thresholds that a person moved. They lie beside the versions; a version stays as it was built.

<root>/<product>/thresholds.json     {"v3": {"threshold": 2.5}, "v4": {"rate": 0.02}, "checksum": "5a..."}

A file without a checksum, as older sources wrote it, is read, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, model_validator

from banks.decision.calibration import Calibration
from banks.versions.leftovers import exclusive
from banks.versions.reviews import reviewed
from banks.versions.said_files import SaidFile
from banks.versions.store import BankStore

THRESHOLDS = "thresholds.json"


class MovedThreshold(BaseModel):
    """A version's threshold as a person wants it: a score, or the share of good parts that are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: FiniteFloat | None = Field(None, description="A score.", examples=[2.5])
    rate: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Share of good parts that may be rejected.", examples=[0.02]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> MovedThreshold:
        if (self.threshold is None) == (self.rate is None):
            raise ValueError("give either threshold or rate")
        return self

    def apply(self, built: Calibration) -> Calibration:
        """The version's own evidence with this threshold."""
        if self.threshold is not None:
            return built.with_threshold(self.threshold)
        assert self.rate is not None
        return built.rethreshold(self.rate)


FILE = SaidFile(
    THRESHOLDS, TypeAdapter(MovedThreshold), again="move the thresholds again", seal_optional=True
)


def move_threshold(store: BankStore, product: str, version: str, moved: MovedThreshold | None) -> None:
    """Move a version's threshold. moved: None puts the calibrated threshold back.

    Raises BankNotFound, or BadBank where the file of thresholds is damaged.
    """
    folder = store.path(product, version).parent
    with exclusive(folder):
        thresholds = moved_thresholds(folder)
        if moved is None:
            thresholds.pop(version, None)
        else:
            thresholds[version] = moved
        content = {name: threshold.model_dump(exclude_none=True) for name, threshold in thresholds.items()}
        FILE.write(folder, content)


def calibration_of(version: Path, built: Calibration) -> Calibration:
    """The calibration of a version directory, with the odd parts that a person called good, and with the
    threshold that a person may have moved.

    version: the directory.
    built: the calibration in the manifest.
    Raises BadBank where the file of thresholds or of reviews is damaged or cannot be read: what somebody said
    for a reason is never dropped silently.
    """
    counted = reviewed(version, built)
    moved = moved_thresholds(version.parent).get(version.name)
    return counted if moved is None else moved.apply(counted)


def moved_thresholds(folder: Path) -> dict[str, MovedThreshold]:
    """The moved thresholds of a product's folder, by version. Raises BadBank."""
    return FILE.read(folder)
