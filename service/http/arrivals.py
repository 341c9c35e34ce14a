"""Bodies that are being received, and which of them gives its place to another."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from service.http.gate import Gate
from service.refusals import Refusal
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a body must come, on average since its first byte was waited for. bytes_per_s: 0 is as slowly
    as the body likes. grace_s: how much longer a body is waited for, while no other body needs its place."""

    bytes_per_s: int
    grace_s: float

    @classmethod
    def of(cls, settings: Settings) -> Pace:
        """The pace that the settings ask for."""
        return cls(settings.body_bytes_per_s, settings.body_grace_s)

    def due_s(self, received: int) -> float:
        """How long so many bytes may take."""
        return received / self.bytes_per_s if self.bytes_per_s else math.inf


class Arrival:
    """One body on its way: how far the body has come, and the places that the body holds. For the event loop
    only."""

    def __init__(self, pace: Pace, client: str = "") -> None:
        """client: whose share the places are of."""
        self.client = client
        self.received = 0
        self._pace = pace
        self._waited_s = 0.0
        self._waiting_since: float | None = None
        self._limit: asyncio.Timeout | None = None
        self._refusal: Refusal | None = None
        self._whole = False
        self._places: dict[Gate, tuple[int, ExitStack]] = {}

    async def next_piece(self, pieces: AsyncIterator[bytes], until: float) -> bytes | None:
        """The client's next piece; None once the body is whole. until: on the event loop's clock.

        Raises TimeoutError after `until`, Refusal where the body comes below its pace or gave way."""
        self._waiting_since = _now()
        too_late = self._waiting_since + self._pace.grace_s - self.behind_s
        try:
            async with asyncio.timeout_at(min(until, too_late)) as self._limit:
                piece = await anext(pieces, None)
        except TimeoutError:
            if self._refusal is None and until <= too_late:
                raise
            raise self._refusal or _too_slow(self._pace) from None
        finally:
            self._waited_s += _now() - self._waiting_since
            self._waiting_since = self._limit = None
        if self._refusal is not None:
            raise self._refusal
        self._whole = piece is None
        self.received += len(piece or b"")
        return piece

    @property
    def behind_s(self) -> float:
        """Seconds that the client was waited for beyond the body's pace; less than 0 for a body in time."""
        since = self._waiting_since
        waited_s = self._waited_s + (0.0 if since is None else _now() - since)
        return -math.inf if self._whole else waited_s - self._pace.due_s(self.received)

    def take(self, gate: Gate, places: int) -> None:
        """Hold places of this gate. Raises Overloaded."""
        held = ExitStack()
        held.enter_context(gate.enter(self.client, places))
        self._places[gate] = places, held

    def held(self, gate: Gate) -> int:
        """How many places of this gate the body holds."""
        return self._places[gate][0] if gate in self._places else 0

    def leave(self, gate: Gate) -> None:
        """Give the places of this gate back."""
        _, held = self._places.pop(gate)
        held.close()

    def give_way(self, refusal: Refusal) -> None:
        """Give all places back now; whoever receives the body gets the refusal."""
        self.end()
        self._refusal = refusal
        if self._limit is not None:
            self._limit.reschedule(_now())

    def end(self) -> None:
        """Give all places back."""
        for gate in list(self._places):
            self.leave(gate)


class Arrivals:
    """All bodies on their way. Where there is no room for a new body, those that are behind their pace give
    way, the one that is furthest behind first: so slow clients hold no place that a quick one needs, however
    many they are. For the event loop only."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._coming: set[Arrival] = set()

    @contextmanager
    def enter(self, client: str, places: Mapping[Gate, int]) -> Iterator[Arrival]:
        """Hold these places for a new body, until the end or until the body gives way. Raises Overloaded."""
        arrival = Arrival(self._pace, client)
        try:
            for gate, count in places.items():
                self._make_room(gate, client, count)
                arrival.take(gate, count)
            self._coming.add(arrival)
            yield arrival
        finally:
            self._coming.discard(arrival)
            arrival.end()

    def in_time(self, gate: Gate) -> int:
        """How many bodies hold places of this gate and are not behind their pace."""
        return sum(arrival.held(gate) > 0 and arrival.behind_s <= 0 for arrival in self._coming)

    def _make_room(self, gate: Gate, client: str, count: int) -> None:
        """Let bodies give way that are late, where that helps: the client's own if its share is full."""
        own = gate.beyond_share(client, count) > 0
        late = [
            arrival
            for arrival in self._coming
            if arrival.held(gate) and arrival.behind_s > 0 and (arrival.client == client or not own)
        ]
        late.sort(key=lambda arrival: arrival.behind_s)
        if sum(arrival.held(gate) for arrival in late) < gate.missing(client, count):
            return  # the gate refuses
        while gate.missing(client, count) > 0:
            late.pop().give_way(gate.refusal())


def _now() -> float:
    """On the event loop's clock."""
    return asyncio.get_running_loop().time()


def _too_slow(pace: Pace) -> Refusal:
    detail = (
        f"The body came at less than {pace.bytes_per_s} bytes a second. Send it again over a faster link."
    )
    return Refusal(408, "body_timeout", detail)
