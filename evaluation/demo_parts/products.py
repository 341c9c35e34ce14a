"""Every demo product by name: its shape, its place under the scanner and its defects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from numpy.random import Generator

from evaluation.demo_parts import food, metal, moulded, woven
from evaluation.demo_parts.relief import Relief


@dataclass(frozen=True)
class Product:
    """One product and its inspection station.

    Attributes:
        name: of the product.
        build: makes one good part from a random generator. The second argument is None, or a number in [0, 1)
            that chooses a feature to leave out.
        defects: names in `DEFECTS`.
        rows, cols: image size, pixels.
        field: width of the image on the table, metres.
        distance: from camera to table, metres.
        tilt: of the camera from the perpendicular, degrees.
        turn: largest rotation of a part to either side, degrees.
        shift: largest distance of a part from the middle, metres.
        table: colour of the table, "#rrggbb".
    """

    name: str
    build: Callable[[Generator, float | None], Relief]
    defects: tuple[str, ...]
    rows: int = 400
    cols: int = 400
    field: float = 0.16
    distance: float = 0.50
    tilt: float = 6.0
    turn: float = 8.0
    shift: float = 0.004
    table: str = "#5c6064"


def _by_name(*products: Product) -> Mapping[str, Product]:
    return MappingProxyType({product.name: product for product in products})


PRODUCTS: Mapping[str, Product] = _by_name(
    Product(
        "biscuit",
        food.biscuit,
        ("stain", "speckle", "tint", "dent", "bump", "hole", "chipped_edge", "foreign_body"),
        field=0.104,
        turn=180,
        table="#50657a",
    ),
    Product(
        "carrot",
        food.carrot,
        ("stain", "speckle", "dent", "bump", "cut", "hole"),
        rows=600,
        cols=300,
        field=0.084,
        distance=0.62,
        tilt=4.0,
        turn=5,
        table="#5b6268",
    ),
    Product(
        "coaster",
        woven.coaster,
        ("stain", "tint", "crush", "warp", "missing", "cut"),
        field=0.135,
        turn=5,
        table="#33383d",
    ),
    Product(
        "flange",
        metal.flange,
        ("stain", "speckle", "scratch", "dent", "bump", "missing", "foreign_body"),
        field=0.128,
        turn=30,
        tilt=7.0,
        table="#2f4038",
    ),
    Product(
        "housing",
        moulded.housing,
        ("tint", "scratch", "dent", "bump", "warp", "missing", "hole"),
        rows=400,
        cols=500,
        field=0.140,
        distance=0.58,
        turn=5,
        table="#8b8d8c",
    ),
    Product(
        "lid",
        metal.lid,
        ("scratch", "stain", "tint", "dent", "warp", "hole", "foreign_body"),
        field=0.094,
        distance=0.45,
        tilt=8.0,
        turn=12,
        table="#44484f",
    ),
)
