"""Open every product in a folder for evaluation. A product may have any known layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.readers.product_folder import (
    GOOD,
    SPLITS,
    NotAProductFolder,
    ProductFolder,
    open_product_folder,
    printable,
    subfolders,
)

HELD_OUT = 0.3
"""Share of a user folder's good parts that are test parts instead of training parts."""


def open_products(path: Path, seed: int = 0) -> dict[str, ProductFolder]:
    """Products by name: the product at `path`, or the products in its subfolders. No part is read.

    A product is a folder with train/ (and validation/, test/), a user folder (see `open_user_folder`), or a
    folder of good parts without test parts. seed: of the held-out parts of a user folder.
    Raises NotAProductFolder.
    """
    if not path.is_dir():
        raise NotAProductFolder(f"{path} is not a folder.")
    if is_product(path):
        return {printable(path.resolve().name): open_product(path, seed)}
    inside = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and is_product(folder)]
    if inside:
        return {printable(folder.name): open_product(folder, seed) for folder in inside}
    return {printable(path.resolve().name): open_product_folder(path)}


def is_product(path: Path) -> bool:
    """Whether the folder is a product with train/, validation/ or test/, or a user folder."""
    return not subfolders(path).keys().isdisjoint((*SPLITS, GOOD))


def open_product(path: Path, seed: int = 0) -> ProductFolder:
    """Open one product of any layout. Raises NotAProductFolder."""
    inside = subfolders(path)
    if GOOD in inside and inside.keys().isdisjoint(SPLITS):
        return open_user_folder(path, seed)
    return open_product_folder(path)


def open_user_folder(path: Path, seed: int = 0) -> ProductFolder:
    """Open a folder with `good/` and one folder per defect.

    A seeded draw of 30 % of the good parts (rounded, at least one) and all defective parts are test parts.
    Raises NotAProductFolder if there are fewer than two good parts.
    """
    folder = open_product_folder(path)
    if len(folder.train) < 2:
        raise NotAProductFolder(
            f"{path} has {len(folder.train)} good parts, but two are needed: one for training, one for test."
        )
    drawn = list(zip(folder.train, _draw(len(folder.train), seed), strict=True))
    return replace(
        folder,
        train=tuple(part for part, out in drawn if not out),
        test=(*(replace(part, split="test") for part, out in drawn if out), *folder.test),
    )


def _draw(parts: int, seed: int) -> list[bool]:
    """For each part in order, whether the part is held out."""
    count = min(max(round(HELD_OUT * parts), 1), parts - 1)
    chosen = set(np.random.default_rng(seed).permutation(parts)[:count].tolist())
    return [index in chosen for index in range(parts)]
