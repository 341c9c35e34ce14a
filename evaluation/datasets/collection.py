"""Every product under one folder, whatever of the known layouts it has, ready to be evaluated."""

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
"""Share of a user folder's good parts that are tested on instead of learnt from."""


def open_products(path: Path, seed: int = 0) -> dict[str, ProductFolder]:
    """Products by name: the one at `path`, or one a subfolder. No part is read.

    A product is a folder with train/ (and validation/, test/), a user folder (see `open_user_folder`), or
    a folder of good parts, which can be learnt from but not tested on. Raises NotAProductFolder.
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
    """Whether the folder itself looks like a product with splits, or like a user folder."""
    return not subfolders(path).keys().isdisjoint((*SPLITS, GOOD))


def open_product(path: Path, seed: int = 0) -> ProductFolder:
    """One product of any layout. Raises NotAProductFolder."""
    inside = subfolders(path)
    if GOOD in inside and inside.keys().isdisjoint(SPLITS):
        return open_user_folder(path, seed)
    return open_product_folder(path)


def open_user_folder(path: Path, seed: int = 0) -> ProductFolder:
    """A folder of `good/` and one folder a defect, as `open_product_folder` reads it.

    Of the good parts a seeded draw of 30 % (at least one, rounded) is held out for the test; all defective
    parts are tested on. Raises NotAProductFolder without two good parts.
    """
    folder = open_product_folder(path)
    if len(folder.train) < 2:
        raise NotAProductFolder(
            f"{path} holds {len(folder.train)} good parts; two are needed, one to learn from, one to test."
        )
    drawn = list(zip(folder.train, _draw(len(folder.train), seed), strict=True))
    return replace(
        folder,
        train=tuple(part for part, out in drawn if not out),
        test=(*(replace(part, split="test") for part, out in drawn if out), *folder.test),
    )


def _draw(parts: int, seed: int) -> list[bool]:
    """Which of the parts, in their order, are held out."""
    count = min(max(round(HELD_OUT * parts), 1), parts - 1)
    chosen = set(np.random.default_rng(seed).permutation(parts)[:count].tolist())
    return [index in chosen for index in range(parts)]
