"""/v1/key: what the key of a request may do, so that a page shows no more than that."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from service.http.keys import Key
from service.http.roles import Role


class KeyAnswer(BaseModel):
    """What a client may do."""

    name: str | None = Field(description="Name of the key; null where no key is needed.", examples=["desk"])
    role: Role = Field(description="Each role has the rights of the roles before it.", examples=["label"])
    products: list[str] | None = Field(
        description="The products that the key is for; null: all products.", examples=[["cookie"]]
    )
    expires: datetime | None = Field(description="When the key ends; null: never.")


router = APIRouter()


@router.get("/v1/key", tags=["health"])
async def show_key(request: Request) -> KeyAnswer:
    """What the key of this request may do."""
    key: Key | None = request.scope["state"].get("key")
    if key is None:
        return KeyAnswer(name=None, role="manage", products=None, expires=None)
    products = None if key.products is None else list(key.products)
    return KeyAnswer(name=key.name, role=key.role, products=products, expires=key.expires)
