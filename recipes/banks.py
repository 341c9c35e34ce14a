"""Settings of one bank of a version, one class a method. `recipes.trained` has those that are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from recipes.trained import AstRecipe, AutoencoderRecipe, StfpmRecipe

BANKS = ("rgb", "point", "normals", "relief", "colour", "fused", "picture")
"""The bank names, in the order of decision weights and answers."""

Normalisation = Literal["none", "own", "channel", "shared"]
"""Normalisation of a bank's rows. "none": no normalisation. "own": one mean and one standard deviation of the
bank. "channel": mean and standard deviation of each channel. "shared": the mean of the point rows and the
standard deviation of the RGB rows, as the published code does for all banks (facts T3)."""

Precision = Literal["float32", "float16"]
"""Number type of a bank's rows. float16 halves a bank on disk and on a GPU."""

Blur: TypeAlias = Literal["gaussian", "pil8", "none"]
"""Smoothing of a bank's map, see `banks.decision.score_map`."""


@dataclass(frozen=True, slots=True)
class Reweighting:
    """Re-weighting of the image score: the largest distance counts less if its nearest neighbour is in a
    dense region of the bank.

    Attributes:
        neighbours: number of bank rows nearest to the nearest neighbour, itself included.
        epsilon: added to the denominator; the published RGB-only and point-only classes use 1e-5.
        divisor: distances are divided by it first; the published two-bank class uses 1000.

    Raises ValueError for impossible numbers.
    """

    neighbours: int = 3
    epsilon: float = 0.0
    divisor: float = 1.0

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours of the re-weighting must be at least 1, not {self.neighbours}")
        if not self.epsilon >= 0 or not self.divisor > 0:
            raise ValueError(
                "epsilon of the re-weighting must be at least 0, and its divisor must be above 0"
            )


PLAIN = Reweighting()
"""The formula of the paper."""


class BankRecipe(BaseModel):
    """Settings of one memory bank in a profile."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: str = "memory_bank"
    """Name of the method that fits and scores the bank; `banks.methods.registry` has all."""
    normalisation: Normalisation = "own"
    reweighting: Reweighting = PLAIN
    local_scale: float = Field(default=0.0, ge=0, le=1)
    """How far a distance counts by what is usual among good parts around its nearest row
    (`banks.methods.memory_bank.local_scale`): 0 not at all, as in the paper, 1 fully."""


class PadimRecipe(BaseModel):
    """Settings of one bank by PaDiM (`banks.methods.padim`), for which the profile's coreset and precision do
    not matter."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Literal["padim"] = "padim"
    channels: int = Field(default=100, ge=1)
    """Number of channels that are kept, drawn by the build's seed; all, where a patch has no more."""
    regulariser: float = Field(default=0.01, ge=1e-4)
    """What is added to each channel's variance at each place, so that few parts give a covariance that can be
    inverted."""
    axes: int | None = Field(default=None, ge=1)
    """Largest number of principal axes that are kept of each place's covariance, instead of its Cholesky
    factor as published. With at least as many as training parts less one, distances stay the same."""


BY_METHOD: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "memory_bank": BankRecipe,
        "autoencoder": AutoencoderRecipe,
        "stfpm": StfpmRecipe,
        "ast": AstRecipe,
        "padim": PadimRecipe,
    }
)
"""The class of the settings by the name of the method. The names are also in the field paths of pydantic's
errors."""


def _method(value: Any) -> str:
    """Which class a value is of. The settings of a method that is not in the table are a memory bank's: the
    registry of methods refuses the name."""
    name = value.get("method") if isinstance(value, dict) else getattr(value, "method", None)
    return name if isinstance(name, str) and name in BY_METHOD else "memory_bank"


Recipe = Annotated[
    Annotated[BankRecipe, Tag("memory_bank")]
    | Annotated[AutoencoderRecipe, Tag("autoencoder")]
    | Annotated[StfpmRecipe, Tag("stfpm")]
    | Annotated[AstRecipe, Tag("ast")]
    | Annotated[PadimRecipe, Tag("padim")],
    Discriminator(_method),
]
"""The settings of one bank."""
