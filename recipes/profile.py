"""A profile: one frozen, named, validated recipe from sample to decision. Data, never code paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recipes.banks import BANKS, BankRecipe, Blur, Precision
from recipes.extraction import Extraction
from recipes.points import FpfhChoice
from recipes.preparation import Preparation

Rule = Literal["single", "add", "dlf_published", "dlf", "tail"]
"""How banks become one score and one map; `banks.decision.rules` has them."""


class Profile(BaseModel):
    """The whole recipe of a product's banks."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    summary: str
    preparation: Preparation
    extraction: Extraction
    banks: dict[str, BankRecipe]
    coreset: float = Field(default=0.1, gt=0, le=1)
    """Share of the training patches kept."""
    coreset_sizes: Literal["independent", "cascaded"] = "independent"
    """Cascaded, as in the published code: the RGB and fused banks keep that share of the *reduced* point
    bank's row count (facts T4)."""
    zero_row: bool = False
    """Append an all-zero row to the point bank, as the published three-bank method does."""
    coreset_eps: float = Field(default=0.9, gt=0, lt=1)
    """Distortion of the random projection before the coreset; smaller keeps more dimensions."""
    precision: Precision = "float32"
    """Of bank rows. float16: half the size on disk and on a GPU; a bank's scores move by less than 1e-3."""
    blur: Blur = "gaussian"
    place_sigma: float = Field(default=0.5, gt=0)
    """Gaussian, in places (`banks.columns`), before banks are compared place by place. Banks of other grids
    do not point at quite the same place, and a defect is wider than the one patch that happens to be odd."""
    decision: Rule = "dlf"
    decision_fit: Literal["held-out", "training"] = "held-out"
    """Good parts that the decision is fitted on. The published code takes the training parts."""
    false_reject_rate: float = Field(default=0.01, gt=0, lt=1)
    calibration_parts: int = Field(default=60, ge=1)
    """Good parts wanted for decision, threshold and colours. Where the validation parts are fewer, training
    parts join them, each scored by the banks without its own rows."""

    def kept(self, seen: Mapping[str, int]) -> dict[str, int]:
        """Rows that each bank's coreset keeps, of so many training patches; without the zero row."""
        if self.coreset_sizes == "cascaded" and "point" in seen:
            reduced = int(self.coreset * seen["point"])
            seen = {name: rows if name == "point" else reduced for name, rows in seen.items()}
        return {name: max(1, int(self.coreset * rows)) for name, rows in seen.items()}

    @model_validator(mode="after")
    def _banks_are_fed(self) -> Profile:
        fed = self.extraction.banks()
        if not self.banks or any(bank not in fed for bank in self.banks):
            raise ValueError(f"banks {list(self.banks)}, but its extraction feeds {list(fed)}")
        if list(self.banks) != [bank for bank in BANKS if bank in self.banks]:
            raise ValueError(f"list banks in the order {', '.join(BANKS)}")
        return self

    @model_validator(mode="after")
    def _banks_fit(self) -> Profile:
        if self.decision == "single" and len(self.banks) != 1:
            raise ValueError(
                f"decision 'single' is for one bank, not for {len(self.banks)}; choose add, dlf or tail"
            )
        shared = [name for name, recipe in self.banks.items() if recipe.normalisation == "shared"]
        if shared and not {"rgb", "point"} <= set(self.extraction.banks()):
            raise ValueError(
                f"normalisation 'shared' of bank {shared[0]} needs RGB and point "
                "patches; choose own, channel or none"
            )
        return self

    @model_validator(mode="after")
    def _grid_is_fine_enough(self) -> Profile:
        point, size = self.extraction.point, self.preparation.size
        if point is None or point.side is None:
            return self
        stride = point.settings.stride if isinstance(point, FpfhChoice) else 1
        edge = -(-size // stride)
        if edge < point.side:
            raise ValueError(
                f"preparation.size {size} by a stride of {stride} leaves {edge} points along an edge, "
                f"too few for {point.side} patches"
            )
        return self
