"""A profile: one frozen, named, validated recipe from sample to decision. Data, never code paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from banks.memory_bank import Reweighting
from banks.score_map import Blur
from models.extraction import Extraction, RgbChoice
from models.features import BANKS
from models.fpfh import PRESETS as FPFH
from models.preparation import Preparation

Normalisation = Literal["none", "own", "channel"]
"""How a bank's rows are normalised: not at all, by the bank's one mean and std, or channel by channel."""


class BankRecipe(BaseModel):
    """How one memory bank is made and scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coreset: float = 0.1
    """Share of the training patches kept."""
    normalisation: Normalisation = "own"
    reweighting: Reweighting = Reweighting()


class Profile(BaseModel):
    """The whole recipe of a product's banks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    summary: str
    preparation: Preparation
    extraction: Extraction
    banks: dict[str, BankRecipe]
    coreset_eps: float = 0.9
    """Distortion of the random projection before the coreset; smaller keeps more dimensions."""
    blur: Blur = "gaussian"
    decision: str = "dlf"
    false_reject_rate: float = 0.01
    folds: int = 5
    """Cross-validation folds over the training parts where there is no validation folder."""

    @model_validator(mode="after")
    def _banks_are_fed(self) -> Profile:
        fed = self.extraction.banks()
        if not self.banks or any(bank not in fed for bank in self.banks):
            raise ValueError(
                f"profile {self.name}: banks {list(self.banks)}, but its extraction feeds {list(fed)}"
            )
        if list(self.banks) != [bank for bank in BANKS if bank in self.banks]:
            raise ValueError(f"profile {self.name}: list banks in the order {', '.join(BANKS)}")
        return self


def _listed(*profiles: Profile) -> Mapping[str, Profile]:
    return MappingProxyType({profile.name: profile for profile in profiles})


PROFILES = _listed(
    Profile(
        name="embedded",
        summary="EfficientNet-Lite1 + FPFH: works offline, on a CPU. The default.",
        preparation=Preparation(rgb_size=448),
        extraction=Extraction(
            rgb=RgbChoice("efficientnet_lite1"), point=FPFH["embedded"], point_side=56, fusion="scaled_concat"
        ),
        banks={
            "rgb": BankRecipe(),
            "point": BankRecipe(),
            "fused": BankRecipe(normalisation="none"),
        },
    ),
)
"""Every profile by name."""

DEFAULT_PROFILE = "embedded"


class UnknownProfile(LookupError):
    """No profile has this name."""


def find_profile(name: str, *, prepared: bool = False) -> Profile:
    """The profile of this name. prepared: the parts come as the published preprocessing leaves them.

    Raises UnknownProfile, listing the names there are.
    """
    if name not in PROFILES:
        raise UnknownProfile(f"There is no profile '{name}'. There are: {', '.join(PROFILES)}.")
    profile = PROFILES[name]
    if not prepared:
        return profile
    return profile.model_copy(update={"preparation": replace(profile.preparation, background="none")})
