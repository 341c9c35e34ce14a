"""/v1/profiles: what banks can be built, for a choice on a page."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.weights.folder import missing_weights
from recipes.profiles import DEFAULT_PROFILE, PROFILES
from service.api.services import Services
from service.threads import on_disk


class ProfileAnswer(BaseModel):
    """One profile."""

    name: str = Field(examples=["embedded"])
    summary: str = Field(examples=["RGB, point and fused bank with the network in the box."])
    banks: list[str] = Field(examples=[["rgb", "point", "fused"]])
    decision: str = Field(description="How the banks make one score.", examples=["tail"])
    default: bool = Field(description="Whether a build without a profile uses this one.")
    missing_weights: list[str] = Field(
        description="Weights that this server does not have. A build with this profile needs them.",
        examples=[["dino_vitb8"]],
    )


class ProfileList(BaseModel):
    """All profiles."""

    profiles: list[ProfileAnswer]


router = APIRouter(tags=["versions"])


@router.get("/v1/profiles")
async def list_profiles(services: Services) -> ProfileList:
    """The profiles that a build may name, and the weights that are missing for them."""

    def answers() -> list[ProfileAnswer]:
        return [
            ProfileAnswer(
                name=profile.name,
                summary=profile.summary,
                banks=list(profile.banks),
                decision=profile.decision,
                default=profile.name == DEFAULT_PROFILE,
                missing_weights=missing_weights(services.weights, profile.extraction.weights()),
            )
            for profile in PROFILES.values()
        ]

    return ProfileList(profiles=await on_disk(answers))
