"""Mesh parts: what a rendered part, a defect and a family promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.demo_parts.keys import PartKey
from evaluation.demo_parts.rendered import DemoPart
from evaluation.mesh_parts.defects import DEFECTS, FAMILIES
from evaluation.mesh_parts.part import render_part, stand, without_specks
from evaluation.mesh_parts.products import PRODUCTS, Product

DEFECTS_OF = {
    "bracket": ("hole", "bent", "stain"),
    "cap": ("print_missing", "warp", "scratch"),
    "connector": ("broken", "missing"),
    "pretzel": ("dent", "missing"),
    "sprocket": ("tint", "bump"),
    "walnut": ("crack",),
}
"""Every defect at least once."""


def small(name: str) -> Product:
    """The product through a camera with a ninth of the pixels."""
    product = PRODUCTS[name]
    return replace(product, rows=product.rows // 3, cols=product.cols // 3)


def key(product: str, kind: str, *, seed: int = 0, index: int = 0) -> PartKey:
    return PartKey(seed, product, "test", kind, index)


def same(one: DemoPart, other: DemoPart) -> bool:
    return all(np.array_equal(getattr(one, item), getattr(other, item)) for item in ("rgb", "xyz", "mask"))


def test_every_product_has_all_families_and_every_defect_a_product() -> None:
    assert len(PRODUCTS) >= 4
    for product in PRODUCTS.values():
        assert {FAMILIES[defect] for defect in product.defects} == {"colour", "shape", "both"}
    assert {defect for product in PRODUCTS.values() for defect in product.defects} == set(FAMILIES)
    assert {defect for tested in DEFECTS_OF.values() for defect in tested} == set(FAMILIES)


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_good_part_stands_on_a_table_that_fills_the_border(name: str) -> None:
    product, which = small(name), key(name, "good")
    part = render_part(product, which)
    assert part.rgb.shape == part.xyz.shape == (product.rows, product.cols, 3)
    assert (part.rgb.dtype, part.xyz.dtype, part.mask.dtype) == (np.uint8, np.float32, np.bool_)
    assert not part.mask.any()
    assert 60 < part.rgb.mean() < 190
    assert (part.rgb == 255).all(axis=2).mean() < 0.02
    lost = part.xyz[..., 2] == 0
    assert 0.005 < lost.mean() < 0.25
    assert not part.xyz[lost].any()
    table = stand(product, which)
    above = (part.xyz.astype(np.float64) @ table.turn.T + table.camera)[..., 2]
    border = np.ones_like(lost)
    border[3:-3, 3:-3] = False
    assert abs(np.median(above[border & ~lost])) < 0.0001
    assert above[border & ~lost].std() < 0.001, "few pixels a metre see little disparity"
    on_part = (above > 0.15 * table.height) & ~lost
    assert 0.08 < on_part.mean() < 0.6
    assert np.quantile(above[on_part], 0.995) == pytest.approx(table.height, rel=0.12)


@pytest.mark.parametrize(("name", "defect"), [(name, one) for name, two in DEFECTS_OF.items() for one in two])
def test_every_defect_shows_in_its_mask_and_only_to_its_own_sensor(name: str, defect: str) -> None:
    product, which = small(name), key(name, defect)
    part = render_part(product, which)
    assert part.mask.sum() > 5
    clean = render_part(product, which, with_defect=False)
    assert not clean.mask.any()
    change = np.abs(part.rgb.astype(int) - clean.rgb).max(axis=2)
    assert change[part.mask].mean() > 4 * change[~part.mask].mean()
    moved = np.abs(part.xyz - clean.xyz)[..., 2] > 0.00005  # or lost in one of the two
    if DEFECTS[defect].family == "colour":
        # A darker colour makes the depth noisier; the surface stays where it is.
        both = (part.xyz[..., 2] > 0) & (clean.xyz[..., 2] > 0) & part.mask
        assert both.sum() > 0.9 * (part.mask & (clean.xyz[..., 2] > 0)).sum()
        assert abs((part.xyz - clean.xyz)[both, 2].mean()) < 0.0001
    else:
        assert moved[part.mask].mean() > max(3 * moved[~part.mask].mean(), 0.3)


@pytest.mark.parametrize("kind", ["good", "scratch"])
def test_the_same_key_gives_the_same_part_and_any_other_key_another(kind: str) -> None:
    product = small("cap")
    one = render_part(product, key("cap", kind))
    assert same(one, render_part(product, key("cap", kind)))
    assert not same(one, render_part(product, key("cap", kind, seed=1)))
    assert not same(one, render_part(product, key("cap", kind, index=1)))


def test_a_mask_has_no_specks() -> None:
    drawn = np.zeros((20, 20), bool)
    drawn[2:8, 2:8] = drawn[12:15, 12:16] = True
    mask = drawn.copy()
    mask[18, 1] = mask[10, 18] = mask[11, 19] = True
    assert np.array_equal(without_specks(mask, 12), drawn)
    assert np.array_equal(without_specks(drawn, 100)[2:8, 2:8], drawn[2:8, 2:8])
    assert not without_specks(drawn, 100)[12:15, 12:16].any()
    assert not without_specks(np.zeros((20, 20), bool), 12).any()
