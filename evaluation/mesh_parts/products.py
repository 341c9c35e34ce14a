"""Every mesh product by name: its shape, its place under the camera and its defects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from numpy.random import Generator

from evaluation.mesh_parts.body import Body, Flaw
from evaluation.mesh_parts.bracket import bracket
from evaluation.mesh_parts.cap import cap
from evaluation.mesh_parts.connector import connector
from evaluation.mesh_parts.pretzel import pretzel
from evaluation.mesh_parts.sprocket import sprocket
from evaluation.mesh_parts.walnut import walnut


@dataclass(frozen=True)
class Product:
    """One product and its station.

    Attributes:
        name: of the product.
        build: makes a part from a random generator, with a flaw or without.
        defects: names in `DEFECTS`.
        field: width of the image on the table, metres.
        distance: from camera to table, metres.
        tilt: of the camera from the perpendicular, degrees.
        turn: largest rotation of a part to either side, degrees. shift: the largest, metres.
        rock: deviation of a part's tilt, degrees. lift: of its lowest point above the table, metres.
        table: colour of the table, "#rrggbb".
        rows, cols: image size, pixels.
    """

    name: str
    build: Callable[[Generator, Flaw | None], Body]
    defects: tuple[str, ...]
    field: float
    distance: float
    tilt: float
    turn: float
    shift: float
    table: str
    rock: float = 0.15
    lift: float = 0.0
    rows: int = 400
    cols: int = 400

    @property
    def scale(self) -> float:
        """Size of its defects, against those of a part that fills a field of 112 mm."""
        return self.field / 0.112


def _by_name(*products: Product) -> Mapping[str, Product]:
    return MappingProxyType({product.name: product for product in products})


PRODUCTS: Mapping[str, Product] = _by_name(
    Product(
        "bracket",
        bracket,
        ("stain", "tint", "dent", "bump", "bent", "crack", "hole", "missing"),
        field=0.135,
        distance=0.36,
        tilt=15,
        turn=6,
        shift=0.003,
        table="#3b2f2a",
    ),
    Product(
        "cap",
        cap,
        ("print_missing", "stain", "tint", "dent", "warp", "scratch", "hole"),
        field=0.058,
        distance=0.17,
        tilt=11,
        turn=10,
        shift=0.0015,
        table="#8d8a86",
    ),
    Product(
        "connector",
        connector,
        ("print_missing", "stain", "tint", "bump", "bent", "missing", "scratch", "broken"),
        field=0.074,
        distance=0.22,
        tilt=8,
        turn=5,
        shift=0.0015,
        table="#2c3a44",
        rows=360,
        cols=480,
    ),
    Product(
        "pretzel",
        pretzel,
        ("stain", "tint", "dent", "bump", "crack", "missing", "broken"),
        field=0.122,
        distance=0.34,
        tilt=10,
        turn=20,
        shift=0.003,
        table="#9a9b98",
    ),
    Product(
        "sprocket",
        sprocket,
        ("stain", "tint", "dent", "bump", "warp", "scratch", "missing", "broken"),
        field=0.108,
        distance=0.33,
        tilt=13,
        turn=10,
        shift=0.002,
        table="#54413a",
    ),
    Product(
        "walnut",
        walnut,
        ("stain", "tint", "dent", "bump", "crack", "hole"),
        field=0.060,
        distance=0.17,
        tilt=12,
        turn=25,
        shift=0.0015,
        table="#40505c",
        rock=4.0,
    ),
)
