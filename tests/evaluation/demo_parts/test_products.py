"""Demo parts: what each product, defect and family promises."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from evaluation.demo_parts.blank import Spoilt
from evaluation.demo_parts.defects import DEFECTS, FAMILIES
from evaluation.demo_parts.keys import PartKey
from evaluation.demo_parts.part import DemoPart, make_relief, render_part, render_relief
from evaluation.demo_parts.products import PRODUCTS, Product
from evaluation.demo_parts.relief import Relief, linear

EVERY_DEFECT = [(name, defect) for name, product in PRODUCTS.items() for defect in product.defects]


def small(name: str) -> Product:
    """The product through a camera with a ninth of the pixels."""
    product = PRODUCTS[name]
    return replace(product, rows=product.rows // 3, cols=product.cols // 3)


def key(product: str, kind: str, *, seed: int = 0, index: int = 0) -> PartKey:
    return PartKey(seed, product, "test", kind, index)


@cache
def reliefs(name: str, kind: str) -> tuple[Relief, Spoilt]:
    """The first part of this kind, without its defect and with it: made once for all tests."""
    return make_relief(PRODUCTS[name], key(name, kind))


@cache
def rendered(name: str, kind: str, *, with_defect: bool = True) -> DemoPart:
    """The first small part of this kind, rendered once for all tests. with_defect: if False, the defect is
    left out, and all else is the same."""
    good, spoilt = reliefs(name, kind)
    if not with_defect:
        spoilt = Spoilt(good, np.zeros(good.grid.shape, bool))
    return render_relief(small(name), key(name, kind), good, spoilt)


def same(one: DemoPart, other: DemoPart) -> bool:
    return all(np.array_equal(getattr(one, item), getattr(other, item)) for item in ("rgb", "xyz", "mask"))


def test_there_are_six_kinds_of_product_and_three_families() -> None:
    assert len(PRODUCTS) >= 6
    assert len(FAMILIES) >= 8
    assert set(FAMILIES.values()) == {"colour", "shape", "both"}
    for product in PRODUCTS.values():
        assert {FAMILIES[defect] for defect in product.defects} == {"colour", "shape", "both"}
    assert {defect for product in PRODUCTS.values() for defect in product.defects} == set(FAMILIES)


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_good_part_is_an_rgb_image_and_an_organised_cloud(name: str) -> None:
    product, part = small(name), rendered(name, "good")
    assert part.rgb.shape == part.xyz.shape == (product.rows, product.cols, 3)
    assert (part.rgb.dtype, part.xyz.dtype, part.mask.dtype) == (np.uint8, np.float32, np.bool_)
    assert np.isfinite(part.xyz).all()
    assert not part.mask.any()
    assert 20 < part.rgb.mean() < 200


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_table_fills_the_border_and_the_part_stands_on_it(name: str) -> None:
    part = rendered(name, "good")
    valid = (part.xyz != 0).any(axis=2)
    border = np.zeros_like(valid)
    border[:5], border[-5:], border[:, :5], border[:, -5:] = True, True, True, True
    points = part.xyz[border & valid].astype(np.float64)
    assert len(points) > 0.95 * border.sum()
    middle = points.mean(axis=0)
    normal = np.linalg.svd(points - middle, full_matrices=False)[2][2]
    assert np.abs((points - middle) @ normal).max() < 0.001
    above = np.abs((part.xyz[valid] - middle) @ normal) > 0.005
    assert 0.08 < above.mean() < 0.6
    assert 0.4 < middle[2] < 0.7


def test_a_missing_return_is_exactly_zero_and_some_are_missing() -> None:
    part = rendered("lid", "good")
    lost = part.xyz[..., 2] == 0
    assert 0.01 < lost.mean() < 0.2
    assert not part.xyz[lost].any()


@pytest.mark.parametrize(("name", "defect"), EVERY_DEFECT)
def test_every_defect_shows_in_the_mask_and_in_its_own_sensor(name: str, defect: str) -> None:
    """Also the family's promise: colour defects leave the cloud alone, shape defects leave the colours."""
    part = rendered(name, defect)
    assert part.mask.sum() > 8
    if DEFECTS[defect].family == "colour":
        clean = rendered(name, defect, with_defect=False)
        assert not clean.mask.any()
        assert np.array_equal(part.xyz, clean.xyz)
        assert not np.array_equal(part.rgb[part.mask], clean.rgb[part.mask])
        return
    good, spoilt = reliefs(name, defect)
    assert not np.array_equal(spoilt.relief.height[spoilt.mask], good.height[spoilt.mask])
    if DEFECTS[defect].family == "shape":
        assert np.array_equal(spoilt.relief.albedo, good.albedo)


def test_outside_the_mask_a_colour_defect_changes_next_to_nothing() -> None:
    part, clean = rendered("carrot", "stain"), rendered("carrot", "stain", with_defect=False)
    change = np.abs(part.rgb.astype(int) - clean.rgb).max(axis=2)
    assert change[part.mask].mean() > 10 * change[~part.mask].mean()


@pytest.mark.parametrize("kind", ["good", "hole"])
def test_the_same_key_gives_the_same_part_and_any_other_key_another(kind: str) -> None:
    product = small("biscuit")
    one = rendered("biscuit", kind)
    assert same(one, render_part(product, key("biscuit", kind)))
    assert not same(one, render_part(product, key("biscuit", kind, seed=1)))
    assert not same(one, render_part(product, key("biscuit", kind, index=1)))


def test_severities_spread_over_few_parts() -> None:
    severities = sorted(key("flange", "dent", index=index).severity() for index in range(4))
    assert all(0 <= severity < 1 for severity in severities)
    assert max(severities) - min(severities) > 0.5


def test_colours_are_read_as_srgb() -> None:
    assert linear("#ffffff") == pytest.approx([1, 1, 1])
    assert linear("#808080") == pytest.approx([0.2159] * 3, abs=1e-3)
    assert linear("#000000") == pytest.approx([0, 0, 0])
