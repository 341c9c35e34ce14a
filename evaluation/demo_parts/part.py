"""One demo part from its key to RGB image, point cloud and mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from evaluation.demo_parts.blank import Blank, Spoilt
from evaluation.demo_parts.defects import DEFECTS
from evaluation.demo_parts.fields import Field, blurred
from evaluation.demo_parts.keys import PartKey
from evaluation.demo_parts.products import Product
from evaluation.demo_parts.relief import Relief
from evaluation.demo_parts.rendered import DemoPart
from evaluation.demo_parts.scanner import scan
from evaluation.demo_parts.scene import Hits, Scene
from evaluation.demo_parts.shading import Light, Table, develop, shade
from evaluation.demo_parts.station import Shot, shot

REMOVED_M = 0.0005
"""Depth of missing material, metres, from which a pixel counts as defective."""


def make_relief(product: Product, key: PartKey) -> tuple[Relief, Spoilt]:
    """The good part of `key`, and the same part with the defect `key.kind` (no defect if the kind is
    "good")."""
    good = product.build(key.stream("body"), None)
    if key.kind == "good":
        return good, Spoilt(good, np.zeros(good.grid.shape, bool))
    blank = Blank(good, lambda choice: product.build(key.stream("body"), choice))
    return good, DEFECTS[key.kind].apply(blank, key.stream("defect"), key.severity())


def render_part(product: Product, key: PartKey) -> DemoPart:
    """Render the part of `key`."""
    return render_relief(product, key, *make_relief(product, key))


def render_relief(product: Product, key: PartKey, good: Relief, spoilt: Spoilt) -> DemoPart:
    """Render this relief as the part of `key`. good: the same part without its defect."""
    scene, view = Scene(spoilt.relief), shot(product, key)
    hits = scene.cast(view.camera, view.into_part(view.directions()))
    lit = ~scene.shadowed(hits, view.projector)
    return DemoPart(
        rgb=_photograph(product, key, scene, view, hits, lit),
        xyz=scan(view, hits, lit, key.stream("scan")),
        mask=_visible_mask(spoilt, good, scene, view, hits),
    )


def _photograph(
    product: Product, key: PartKey, scene: Scene, view: Shot, hits: Hits, lit: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """(rows, cols, 3). The lamp is beside the projector, so its soft shadow is the projector's shadow,
    blurred."""
    shape = (view.rows, view.cols)
    light, table = Light.of(product, key, view), Table(product, key)
    seen = blurred(lit.reshape(shape).astype(np.float32), 0.012 * view.cols).ravel()
    image = shade(hits, seen, table, light, view)
    edge = _edges(hits.depth.reshape(shape)).ravel()
    corners = np.zeros((int(edge.sum()), 3), np.float32)
    for offset in ((-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)):
        rays = view.into_part(view.directions(offset)[edge])
        corners += shade(scene.cast(view.camera, rays), seen[edge], table, light, view) / 4
    image[edge] = corners
    return develop(image.reshape(*shape, 3), key.stream("sensor"))


def _edges(depth: Field) -> NDArray[np.bool_]:
    """(rows, cols): pixels at a step in depth. They are rendered with several rays, so that edges look
    smooth."""
    near = np.asarray(ndimage.maximum_filter(depth, size=3)) - ndimage.minimum_filter(depth, size=3)
    return np.asarray(near > 0.0015)


def _visible_mask(spoilt: Spoilt, good: Relief, scene: Scene, view: Shot, hits: Hits) -> NDArray[np.bool_]:
    """(rows, cols): pixels that show the defect, or that would show the material which the defect removed."""
    shape = (view.rows, view.cols)
    if not spoilt.mask.any():
        return np.zeros(shape, bool)
    cells = spoilt.mask[..., None].astype(np.float32)
    mask = scene.lookup(cells, hits.point)[:, 0] > 0.5
    if spoilt.relief.height is not good.height:
        directions = view.into_part(view.directions())
        depth, _ = Scene(good).depths(view.camera, directions)
        before = (view.camera.astype(np.float32) + directions * depth[:, None]).astype(np.float32)
        gone = hits.depth - depth > REMOVED_M
        mask |= gone & (scene.lookup(cells, before)[:, 0] > 0.5)
    return mask.reshape(shape)
