"""Open every product in a folder for evaluation. A product may have any known layout."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.readers.file_names import printable
from models.readers.product_folder import ProductFolder, open_product
from models.readers.product_places import NotAProductFolder, find_products, no_parts

HELD_OUT = 0.3
"""Share of the good parts that are test parts instead of training parts, where good/ is beside defects."""


def open_products(path: Path, seed: int = 0) -> dict[str, ProductFolder]:
    """The products of `list_products`, ready for evaluation. No part is read.

    Where good/ is beside one folder per defect, a seeded draw of 30 % of the good parts (rounded, at least
    one) are test parts instead of training parts. Raises NotAProductFolder, also if such a folder has fewer
    than two good parts.
    """
    return {
        name: _with_good_test_parts(name, product, seed) if product.layout == "good" else product
        for name, product in list_products(path).items()
    }


def bank_name(product: str) -> str:
    """A product's name in the characters that the bank store accepts."""
    return re.sub(r"[^a-z0-9_-]+", "-", product.lower()).strip("-_")[:63] or "product"


def list_products(path: Path) -> dict[str, ProductFolder]:
    """Products by name: the product at `path`, or the products below `path`, as `tribank build` lists them.

    Sentences about what is in no product are among the first product's skipped. Raises NotAProductFolder.
    """
    places = find_products(path)
    if not places.roots:
        raise no_parts(path, places.left_out)
    opened: dict[str, ProductFolder] = {}
    empty: list[NotAProductFolder] = []
    outside = list(places.left_out)
    for place, root in places.roots.items():
        try:
            opened[place] = open_product(root)
        except NotAProductFolder as error:
            empty.append(error)
            outside.append(f"{place}: this folder has no parts.")
    if not opened:
        raise empty[0]
    first = next(iter(opened))
    opened[first] = replace(opened[first], skipped=(*opened[first].skipped, *outside))
    last_steps = Counter(place.rpartition("/")[2] for place in opened)
    return {_name(path, place, last_steps): product for place, product in opened.items()}


def _name(path: Path, place: str, last_steps: Counter[str]) -> str:
    """The product's folder's name. If two products have folders of the same name, all steps to the folder."""
    if not place:
        return printable(path.resolve().name)
    step = place.rpartition("/")[2]
    return step if last_steps[step] == 1 else place.replace("/", "-")


def _with_good_test_parts(name: str, product: ProductFolder, seed: int) -> ProductFolder:
    if len(product.train) < 2:
        raise NotAProductFolder(
            f"{name} has {len(product.train)} good parts, but two are needed: one for training, one for test."
        )
    drawn = list(zip(product.train, _draw(len(product.train), seed), strict=True))
    return replace(
        product,
        train=tuple(part for part, out in drawn if not out),
        test=(*(replace(part, split="test") for part, out in drawn if out), *product.test),
    )


def _draw(parts: int, seed: int) -> list[bool]:
    """For each part in order, whether the part is held out."""
    count = min(max(round(HELD_OUT * parts), 1), parts - 1)
    chosen = set(np.random.default_rng(seed).permutation(parts)[:count].tolist())
    return [index in chosen for index in range(parts)]
