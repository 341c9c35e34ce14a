"""/v1/servers: the servers that the page shows together."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.settings import Settings, servers_of


class ServerAddress(BaseModel):
    """One server."""

    name: str = Field(examples=["line-1"])
    url: str = Field(description="Its address, which ends with a slash.", examples=["https://line1:8000/"])


class ServerList(BaseModel):
    """The servers of TRIBANK_SERVERS, in the order of the setting."""

    servers: list[ServerAddress]


class ServerRoutes:
    """The route of the servers."""

    def __init__(self, settings: Settings) -> None:
        listed = servers_of(settings).items()
        self._servers = [ServerAddress(name=name, url=url) for name, url in listed]
        self.router = APIRouter(tags=["health"])
        self.router.get("/v1/servers")(self.list_servers)

    async def list_servers(self) -> ServerList:
        """The servers that the page at / shows together. The page asks each of them with its key."""
        return ServerList(servers=self._servers)
