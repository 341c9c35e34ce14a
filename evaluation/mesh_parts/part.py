"""One mesh part from its key to RGB image, point cloud and mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from evaluation.demo_parts.keys import PartKey
from evaluation.demo_parts.rendered import DemoPart, Stand
from evaluation.mesh_parts.blank import Blank, Spoilt
from evaluation.mesh_parts.body import Body, Coat, Look
from evaluation.mesh_parts.defects import DEFECTS
from evaluation.mesh_parts.depth_sensor import measure
from evaluation.mesh_parts.lighting import Light, light
from evaluation.mesh_parts.mesh import Floats
from evaluation.mesh_parts.photograph import develop, shade
from evaluation.mesh_parts.products import Product
from evaluation.mesh_parts.scene import Hits, Scene
from evaluation.mesh_parts.station import Pose, Station, pose, station
from evaluation.mesh_parts.table import Table
from evaluation.mesh_parts.vectors import rotated, unit
from models.regions import label_regions

MOVED_M = 0.0004
"""A change of depth below this is not marked, metres; of a part that fills a field of 112 mm."""
SPECK_M = 0.001
"""A piece of a mask smaller than a square with these sides is left out beside a larger piece, metres; of
such a part. A person marks no specks, and AUPRO counts each piece as much as a whole defect."""
CLEAR_M = 0.00025
"""Above a surface, where its ways to the light start, metres; of such a part."""
AROUND_M = 0.016
"""Within this, surroundings darken a place, metres; of such a part."""
_QUARTERS = ((-0.3, -0.1), (0.1, -0.3), (0.3, 0.1), (-0.1, 0.3))


def render_part(product: Product, key: PartKey, *, with_defect: bool = True) -> DemoPart:
    """Render the part of `key`. with_defect: if False, the defect is left out, and all else is the same."""
    shot = _Shot(product, key, station(product, key), pose(product, key), Table(product, key))
    directions = shot.view.into_table(shot.view.rays())
    good = product.build(key.stream("body"), None)
    scene = Scene(good.mesh, shot.laid)
    hits = scene.cast(shot.view.camera, directions)
    mask, coat = np.zeros(shot.shape, bool), good.coat
    if with_defect and key.kind != "good":
        spoilt = DEFECTS[key.kind].apply(shot.blank(good, hits), key.stream("defect"), key.severity())
        before, coat = hits, spoilt.coat
        if spoilt.mesh is not good.mesh:
            scene = Scene(spoilt.mesh, shot.laid)
            hits = scene.cast(shot.view.camera, directions)
        mask = shot.mask(spoilt, before, hits)
    look = shot.look(coat, hits)
    lit = ~scene.blocked(hits, shot.view.projector.astype(np.float32) - hits.point, CLEAR_M * product.scale)
    return DemoPart(
        rgb=shot.photograph(scene, coat, hits, look),
        xyz=measure(shot.view, hits, look, lit, key.stream("depth")),
        mask=mask,
    )


def stand(product: Product, key: PartKey) -> Stand:
    """Where the table of the part of `key` is, and how high the good part reaches above it."""
    view, good = station(product, key), product.build(key.stream("body"), None)
    return Stand(view.turn, view.camera, float(pose(product, key).of(good.mesh)[:, 2].max()))


@dataclass(frozen=True)
class _Shot:
    """One part below its station."""

    product: Product
    key: PartKey
    view: Station
    laid: Pose
    table: Table

    @property
    def shape(self) -> tuple[int, int]:
        return self.view.rows, self.view.cols

    def blank(self, good: Body, seen: Hits) -> Blank:
        return Blank(
            body=good,
            seen=seen,
            to_camera=unit(self.view.camera.astype(np.float32) - seen.point),
            shape=self.shape,
            pitch=self.product.field / self.product.cols,
            scale=self.product.scale,
            rebuilt=lambda flaw: self.product.build(self.key.stream("body"), flaw),
        )

    def look(self, coat: Coat, hits: Hits) -> Look:
        """Of every hit, bumps in the table's frame."""
        part, sheet = coat(hits.spots), self.table.look(hits.point[~hits.on_part])

        def both(of_part: Floats, of_table: Floats) -> Floats:
            whole = np.empty((len(hits.on_part), *of_part.shape[1:]), np.float32)
            whole[hits.on_part], whole[~hits.on_part] = of_part, of_table
            return whole

        return Look(
            both(part.albedo, sheet.albedo),
            both(part.metal, sheet.metal),
            both(part.rough, sheet.rough),
            both(rotated(part.bump, self.laid.turn), sheet.bump),
        )

    def photograph(self, scene: Scene, coat: Coat, hits: Hits, look: Look) -> NDArray[np.uint8]:
        """(rows, cols, 3). Pixels at an edge get four rays."""
        scale = self.product.scale
        seen = light(scene, hits, self.view, CLEAR_M * scale, AROUND_M * scale)
        image = shade(hits, look, seen, self.view)
        edge = _edges(hits, self.shape, 0.0009 * scale)
        image[edge] = np.mean([self._again(scene, coat, seen, edge, offset) for offset in _QUARTERS], axis=0)
        return develop(image.reshape(*self.shape, 3), self.view, self.key.stream("sensor"))

    def _again(
        self, scene: Scene, coat: Coat, seen: Light, edge: NDArray[np.bool_], offset: tuple[float, float]
    ) -> Floats:
        """(E, 3): the edge's pixels through another place of theirs."""
        hits = scene.cast(self.view.camera, self.view.into_table(self.view.rays(offset)[edge]))
        return shade(hits, self.look(coat, hits), seen.of(edge), self.view)

    def mask(self, spoilt: Spoilt, before: Hits, after: Hits) -> NDArray[np.bool_]:
        """(rows, cols): what the defect moved, as the camera sees it, and the spots that it marks."""
        moved = np.abs(after.depth - before.depth).reshape(self.shape) > MOVED_M * self.product.scale
        mask = np.asarray(ndimage.binary_opening(moved, np.ones((2, 2))), bool)
        if spoilt.marks is not None:
            for hits in (before, after):
                marked = np.zeros(len(hits.on_part), bool)
                marked[hits.on_part] = spoilt.marks(hits.spots)
                mask |= marked.reshape(self.shape)
        pixel = self.product.field / self.product.cols
        return without_specks(mask, (SPECK_M * self.product.scale / pixel) ** 2)


def without_specks(mask: NDArray[np.bool_], area: float) -> NDArray[np.bool_]:
    """(rows, cols): the mask without its pieces of fewer than `area` pixels. The largest piece stays."""
    pieces, _ = label_regions(mask)
    pixels = np.bincount(pieces.ravel())
    pixels[0] = 0
    return (pixels >= min(area, max(pixels.max(), 1)))[pieces]


def _edges(hits: Hits, shape: tuple[int, int], step: float) -> NDArray[np.bool_]:
    """(N,): pixels at a step of depth or at a sharp bend."""
    depth, up = hits.depth.reshape(shape), hits.normal[:, 2].reshape(shape)
    wide = ndimage.maximum_filter(depth, 3) - ndimage.minimum_filter(depth, 3)
    bend = ndimage.maximum_filter(up, 3) - ndimage.minimum_filter(up, 3)
    return np.asarray((wide > step) | (bend > 0.5)).ravel()
