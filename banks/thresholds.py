"""Thresholds that a person moved, beside the versions, which stay as they were built.

<root>/<product>/thresholds.json     {"v3": {"threshold": 2.5}, "v4": {"rate": 0.02}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, RootModel, ValidationError, model_validator

from banks.calibration import Calibration
from banks.store import BadBank, BankStore, exclusive
from models.atomic_file import write_atomically

THRESHOLDS = "thresholds.json"


class MovedThreshold(BaseModel):
    """Where a person wants a version's threshold: at a score, or by the share of good parts rejected."""

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


class _Moved(RootModel[dict[str, MovedThreshold]]):
    """The file."""


def move_threshold(store: BankStore, product: str, version: str, moved: MovedThreshold | None) -> None:
    """Move a version's threshold; None puts it back to what calibration found.

    Raises BankNotFound, or BadBank where the file is not what this module wrote.
    """
    folder = store.path(product, version).parent
    with exclusive(folder):
        thresholds = _read(folder)
        if moved is None:
            thresholds.pop(version, None)
        else:
            thresholds[version] = moved
        write_atomically(folder / THRESHOLDS, _Moved(thresholds).model_dump_json(exclude_none=True) + "\n")


def calibration_of(version: Path, built: Calibration) -> Calibration:
    """The calibration of a version directory with the threshold that a person may have set.

    built: as the manifest has it. Raises BadBank where the file cannot be read: a threshold that someone
    moved for a reason is never silently dropped.
    """
    moved = _read(version.parent).get(version.name)
    return built if moved is None else moved.apply(built)


def _read(folder: Path) -> dict[str, MovedThreshold]:
    try:
        return dict(_Moved.model_validate_json((folder / THRESHOLDS).read_bytes()).root)
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise BadBank(f"{folder.name}/{THRESHOLDS} cannot be read: mend or remove it") from error
