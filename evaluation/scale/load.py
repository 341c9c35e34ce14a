"""What the lines send: how many lines, products and parts, when parts come, and how large they are."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

from evaluation.scale.draws import gamma, stream

Pace = Literal["even", "random"]


class BadLoad(ValueError):
    """The load cannot be. The message says which number is wrong."""


class Arrival(NamedTuple):
    """A part that comes. second: since the start. product: its number."""

    second: float
    product: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the lines send. All lines are alike.

    Attributes:
        lines: number of lines. A line makes one product at a time.
        products: number of products. They are dealt out to the lines; lines share products where there are
            fewer products than lines.
        parts_per_minute: of one line.
        tray: parts of a line that arrive at the same moment.
        pace: "even": a line's trays come at equal intervals. "random": they come at random (Poisson).
        run_minutes: a line makes a product for so long, then its next one. 0: each tray is a random product
            of the line.
        product_mb, product_spread_mb: mean and standard deviation of the memory that a product's banks take,
            MB.
        part_mb: memory of one decoded part, MB.
    """

    lines: int = 10
    products: int = 200
    parts_per_minute: float = 10.0
    tray: int = 1
    pace: Pace = "even"
    run_minutes: float = 60.0
    product_mb: float = 50.0
    product_spread_mb: float = 0.0
    part_mb: float = 2.5

    def __post_init__(self) -> None:
        """Raises BadLoad."""
        for name in ("lines", "products", "parts_per_minute", "tray", "product_mb"):
            if not getattr(self, name) > 0:
                raise BadLoad(f"{name} is {getattr(self, name)}, but must be more than 0.")
        for name in ("run_minutes", "product_spread_mb", "part_mb"):
            if not getattr(self, name) >= 0:
                raise BadLoad(f"{name} is {getattr(self, name)}, but must not be less than 0.")

    @property
    def parts_per_s(self) -> float:
        """Parts a second of all lines."""
        return self.lines * self.parts_per_minute / 60

    @property
    def tray_s(self) -> float:
        """Mean seconds between two trays of a line."""
        return 60 * self.tray / self.parts_per_minute

    def sizes_mb(self, seed: int) -> list[float]:
        """Memory of each product, MB: a gamma distribution around the mean."""
        draw = stream("sizes", seed)
        return [gamma(draw, self.product_mb, self.product_spread_mb) for _ in range(self.products)]

    def arrivals(self, seconds: float, seed: int) -> Iterator[Arrival]:
        """The parts of all lines within so many seconds, in the order of their arrival."""
        return heapq.merge(*(self._of_line(line, seconds, seed) for line in range(self.lines)))

    def begins_with(self, seed: int) -> set[int]:
        """The products that the lines make when the load begins; none where each tray is another product."""
        lines = range(self.lines) if self.run_minutes else ()
        return {self._made(line, self._begun_s(line, seed)) for line in lines}

    def _of_line(self, line: int, seconds: float, seed: int) -> Iterator[Arrival]:
        draw = stream(f"line {line}", seed)
        begun = self._begun_s(line, seed)
        now = self._gap(draw) if self.pace == "random" else draw.random() * self.tray_s
        while now < seconds:
            own = self._own(line)
            product = (
                self._made(line, begun + now) if self.run_minutes else own[int(draw.random() * len(own))]
            )
            for _ in range(self.tray):
                yield Arrival(now, product)
            now += self._gap(draw)

    def _own(self, line: int) -> range:
        """The products of a line."""
        first = line % self.products
        return (
            range(first, self.products, self.lines) if self.lines < self.products else range(first, first + 1)
        )

    def _begun_s(self, line: int, seed: int) -> float:
        """For how long the line has made its products when the load begins."""
        return stream(f"begun {line}", seed).random() * 60 * self.run_minutes * len(self._own(line))

    def _made(self, line: int, second: float) -> int:
        """The product that a line makes at this second since its first product."""
        own = self._own(line)
        return own[int(second / (60 * self.run_minutes)) % len(own)]

    def _gap(self, draw: Random) -> float:
        return draw.expovariate(1 / self.tray_s) if self.pace == "random" else self.tray_s
