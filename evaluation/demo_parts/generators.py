"""The generators of demo parts: two families that share neither shapes nor rendering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from evaluation import mesh_parts
from evaluation.demo_parts import defects, part, products
from evaluation.demo_parts.keys import GENERATOR_VERSION, PartKey
from evaluation.demo_parts.rendered import DemoPart, Stand
from evaluation.demo_parts.station import shot
from evaluation.mesh_parts import defects as mesh_defects
from evaluation.mesh_parts import part as mesh_part
from evaluation.mesh_parts import products as mesh_products


class DemoProduct(Protocol):
    """What the writer asks of a product. rows, cols: image size, pixels."""

    @property
    def name(self) -> str: ...
    @property
    def defects(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> int: ...
    @property
    def cols(self) -> int: ...


@dataclass(frozen=True)
class DemoGenerator:
    """One way to render demo parts.

    Attributes:
        name: as `--generator` takes it.
        record: what `parts.json` says of it beside the counts and the seed.
        products: by name. families: defect -> "colour", "shape" or "both".
        render: the part of a key. stand: where its table is.
    """

    name: str
    record: Mapping[str, object]
    products: Mapping[str, DemoProduct]
    families: Mapping[str, str]
    render: Callable[[PartKey], DemoPart]
    stand: Callable[[PartKey], Stand]


def _render(key: PartKey) -> DemoPart:
    return part.render_part(products.PRODUCTS[key.product], key)


def _stand(key: PartKey) -> Stand:
    product = products.PRODUCTS[key.product]
    view = shot(product, key)
    return Stand(view.turn, view.camera, float(part.make_relief(product, key)[0].height.max()))


def _render_mesh(key: PartKey) -> DemoPart:
    return mesh_part.render_part(mesh_products.PRODUCTS[key.product], key)


def _stand_mesh(key: PartKey) -> Stand:
    return mesh_part.stand(mesh_products.PRODUCTS[key.product], key)


_VERSION: Mapping[str, object] = {"generator": "tribank demo-parts", "generator_version": GENERATOR_VERSION}

HEIGHTS = DemoGenerator("heights", _VERSION, products.PRODUCTS, defects.FAMILIES, _render, _stand)
"""Height fields on a grid, under a soft light and a structured-light scanner."""

MESHES = DemoGenerator(
    "meshes",
    {**_VERSION, "meshes_version": mesh_parts.VERSION},
    mesh_products.PRODUCTS,
    mesh_defects.FAMILIES,
    _render_mesh,
    _stand_mesh,
)
"""Solid meshes, under lamps with cast shadows, a lens with distortion and a stereo sensor."""

GENERATORS: Mapping[str, DemoGenerator] = MappingProxyType({one.name: one for one in (HEIGHTS, MESHES)})
