"""Bodies that are being received. A slow body loses its place if another body needs the place."""

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
    """The slowest average pace of a body, measured from the moment the server waits for its first byte.

    bytes_per_s: 0 allows every pace.
    grace_s: how late a body may be while no other body needs its place.
    """

    bytes_per_s: int
    grace_s: float

    @classmethod
    def of(cls, settings: Settings) -> Pace:
        """The pace in the settings."""
        return cls(settings.body_bytes_per_s, settings.body_grace_s)

    def due_s(self, received: int) -> float:
        """How long so many bytes may take, in seconds."""
        return received / self.bytes_per_s if self.bytes_per_s else math.inf


class Arrival:
    """One body that is being received: the bytes received so far, and the places that the body holds.

    For the event loop only.
    """

    def __init__(self, pace: Pace, client: str = "") -> None:
        """client: the client whose share the places count for."""
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
        """The next piece of the body; None at its end. until: a time of the event loop's clock.

        Raises TimeoutError after `until`. Raises Refusal if the body is too slow or lost its place."""
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
        """How late the body is, in seconds. Less than 0 for a body in time."""
        since = self._waiting_since
        waited_s = self._waited_s + (0.0 if since is None else _now() - since)
        return -math.inf if self._whole else waited_s - self._pace.due_s(self.received)

    def hold(self, gate: Gate, places: int) -> None:
        """Hold places of this gate. Raises Overloaded."""
        held = ExitStack()
        held.enter_context(gate.enter(self.client, places))
        self._places[gate] = places, held

    def held(self, gate: Gate) -> int:
        """How many places of this gate the body holds."""
        return self._places[gate][0] if gate in self._places else 0

    def leave(self, gate: Gate) -> None:
        """Release the places of this gate."""
        _, held = self._places.pop(gate)
        held.close()

    def give_way(self, refusal: Refusal) -> None:
        """Release all places now. `next_piece` raises the refusal."""
        self.end()
        self._refusal = refusal
        if self._limit is not None:
            self._limit.reschedule(_now())

    def end(self) -> None:
        """Release all places."""
        for gate in list(self._places):
            self.leave(gate)


class Arrivals:
    """All bodies that are being received.

    If a new body finds no place, late bodies lose their places, the latest body first. So slow clients cannot
    keep quick clients out. For the event loop only.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._coming: set[Arrival] = set()

    @contextmanager
    def enter(self, client: str, places: Mapping[Gate, int]) -> Iterator[Arrival]:
        """Hold these places for a new body, until the end or until the body loses them. Raises Overloaded."""
        arrival = Arrival(self._pace, client)
        try:
            for gate, count in places.items():
                self._make_room(gate, client, count)
                arrival.hold(gate, count)
            self._coming.add(arrival)
            yield arrival
        finally:
            self._coming.discard(arrival)
            arrival.end()

    def in_time(self, gate: Gate) -> int:
        """How many bodies hold places of this gate and are in time."""
        return sum(arrival.held(gate) > 0 and arrival.behind_s <= 0 for arrival in self._coming)

    def _make_room(self, gate: Gate, client: str, count: int) -> None:
        """Take places from late bodies, if that makes enough room.

        If the share of the client is full, only its own bodies lose places.
        """
        own = gate.beyond_share(client, count) > 0
        late = [
            arrival
            for arrival in self._coming
            if arrival.held(gate) and arrival.behind_s > 0 and (arrival.client == client or not own)
        ]
        late.sort(key=lambda arrival: arrival.behind_s)
        if sum(arrival.held(gate) for arrival in late) < gate.missing(client, count):
            return  # the gate refuses the new body
        while gate.missing(client, count) > 0:
            late.pop().give_way(gate.refusal())


def _now() -> float:
    """The time of the event loop's clock, in seconds."""
    return asyncio.get_running_loop().time()


def _too_slow(pace: Pace) -> Refusal:
    detail = (
        f"The body arrived at less than {pace.bytes_per_s} bytes a second. Send the request again over a "
        "faster connection."
    )
    return Refusal(408, "body_timeout", detail)
