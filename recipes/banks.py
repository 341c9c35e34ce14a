"""How one memory bank is made and scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

BANKS = ("rgb", "point", "fused")
"""The bank names, in the order in which decision weights and answers list them."""

Normalisation = Literal["none", "own", "channel", "shared"]
"""How a bank's rows are normalised: not at all; by the bank's one mean and std; channel by channel; or, as
the published code does for all banks, by the point rows' mean and the RGB rows' std (facts T3)."""

Precision = Literal["float32", "float16"]
"""What a bank's rows are rounded to: float16 halves a bank on disk and on a GPU."""

Blur: TypeAlias = Literal["gaussian", "pil8"]
"""How a bank's map is smoothed; see `banks.decision.score_map`."""


@dataclass(frozen=True, slots=True)
class Reweighting:
    """How the image score weighs the farthest patch by how crowded its neighbour in the bank is.

    neighbours: bank rows around the nearest one, itself counted. epsilon: added to the denominator by the
    published RGB-only and point-only classes (1e-5). divisor: the published two-bank class divides
    distances by 1000 first. Raises ValueError for numbers that cannot be.
    """

    neighbours: int = 3
    epsilon: float = 0.0
    divisor: float = 1.0

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours of the re-weighting must be at least 1, not {self.neighbours}")
        if not self.epsilon >= 0 or not self.divisor > 0:
            raise ValueError("of the re-weighting, epsilon must not be negative and divisor be above 0")


PLAIN = Reweighting()
"""The formula of the paper."""


class BankRecipe(BaseModel):
    """How one memory bank is made and scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = "memory_bank"
    """Name of the method that fits and scores the bank; `banks.methods.registry` has all."""
    normalisation: Normalisation = "own"
    reweighting: Reweighting = PLAIN
