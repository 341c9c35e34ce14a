"""Product folders in the layout of MVTec 3D-AD, rendered by a pool of processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from evaluation.demo_parts.defects import FAMILIES
from evaluation.demo_parts.keys import GENERATOR_VERSION, PartKey
from evaluation.demo_parts.part import render_part
from evaluation.demo_parts.products import PRODUCTS, Product

RECORD = "parts.json"
"""Lies in a product folder once that is complete."""
GOOD_SHARE = 0.4
"""Share of good parts among the test parts."""
WORTH_A_POOL = 12
"""With fewer parts, starting processes takes longer than rendering."""

Progress = Callable[[int, int], None]


def write_demo_parts(
    out: Path,
    *,
    products: Sequence[str] | None = None,
    seed: int = 0,
    train: int = 40,
    validation: int = 10,
    test: int = 40,
    progress: Progress | None = None,
) -> list[Path]:
    """Writes demo products below `out` and returns their folders.

    products: names in `PRODUCTS`; None for all. train, validation, test: parts of each product.
    progress: called with (parts done, parts in all), first with 0 done.

    The same seed gives the same bytes, whatever else is asked for. A complete folder with the same settings
    is left as it is, one with other settings is replaced, one that this function did not write is refused.

    Raises ValueError for an unknown product or a negative count, FileExistsError for a refused folder.
    """
    chosen = [_product(name) for name in dict.fromkeys(PRODUCTS if products is None else products)]
    if min(train, validation, test) < 0:
        raise ValueError("train, validation and test must not be negative")
    records = {p.name: _record(p, seed, train, validation, test) for p in chosen}
    due = [p for p in chosen if _is_due(out / p.name, records[p.name])]
    keys = {p.name: list(_keys(p, seed, train, validation, test)) for p in due}
    for product in due:
        shutil.rmtree(_unfinished(out, product), ignore_errors=True)
    jobs = [(_unfinished(out, product), key) for product in due for key in keys[product.name]]
    _write_all(jobs, progress or _silent)
    for product in due:
        _finish(out, product, records[product.name])
    return [out / product.name for product in chosen]


def _product(name: str) -> Product:
    if name not in PRODUCTS:
        raise ValueError(f"no demo product {name!r}; there are {', '.join(PRODUCTS)}")
    return PRODUCTS[name]


def _silent(done: int, total: int) -> None:
    pass


def _record(product: Product, seed: int, train: int, validation: int, test: int) -> dict[str, object]:
    """What `parts.json` says: enough to make the folder again."""
    return {
        "product": product.name,
        "generator": "tribank demo-parts",
        "generator_version": GENERATOR_VERSION,
        "seed": seed,
        "counts": {"train": train, "validation": validation, "test": test},
        "families": {defect: FAMILIES[defect] for defect in product.defects},
        "image": {"rows": product.rows, "cols": product.cols},
        "licence": "CC0-1.0",
    }


def _is_due(folder: Path, record: dict[str, object]) -> bool:
    """Whether the folder must be written; raises FileExistsError if something else lies there."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return True
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("generator") != record["generator"]:
        raise FileExistsError(f"{folder} exists and was not written by demo-parts; choose another folder")
    return found != record


def _keys(product: Product, seed: int, train: int, validation: int, test: int) -> Iterator[PartKey]:
    """Every part of a product. How it looks follows from its key: counts only decide which keys there are."""
    good = round(GOOD_SHARE * test)
    shares = [("train", "good", train), ("validation", "good", validation), ("test", "good", good)]
    kinds = len(product.defects)
    for place, defect in enumerate(product.defects):
        shares.append(("test", defect, (test - good + kinds - 1 - place) // kinds))
    for split, kind, count in shares:
        for index in range(count):
            yield PartKey(seed, product.name, split, kind, index)


def _unfinished(out: Path, product: Product) -> Path:
    """Where a product grows until it is complete."""
    return out / f".{product.name}.unfinished"


def _finish(out: Path, product: Product, record: dict[str, object]) -> None:
    """Puts the complete folder in its place."""
    source, target = _unfinished(out, product), out / product.name
    source.mkdir(parents=True, exist_ok=True)
    (source / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if target.exists():
        shutil.rmtree(target)
    source.rename(target)


def _write_all(jobs: Sequence[tuple[Path, PartKey]], progress: Progress) -> None:
    """Renders and writes every job, in this process or in a pool of fresh ones."""
    progress(0, len(jobs))
    if len(jobs) < WORTH_A_POOL:
        for done, job in enumerate(jobs, start=1):
            _write_part(job)
            progress(done, len(jobs))
        return
    # Spawned, not forked: the caller may have threads (torch, Open3D) that a fork would leave half alive.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as pool:
        for done, _ in enumerate(pool.map(_write_part, jobs, chunksize=4), start=1):
            progress(done, len(jobs))


def _write_part(job: tuple[Path, PartKey]) -> None:
    """Writes one part below its product's folder; nothing in the files depends on when or where that is."""
    folder, key = job
    part = render_part(PRODUCTS[key.product], key)
    kind, name = folder / key.split / key.kind, f"{key.index:03d}"
    _save_png(kind / "rgb" / f"{name}.png", part.rgb)
    (kind / "xyz").mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(
        kind / "xyz" / f"{name}.tiff",
        part.xyz,
        photometric="minisblack",
        planarconfig="contig",
        metadata=None,
        software=False,
    )
    if key.split == "test":
        _save_png(kind / "gt" / f"{name}.png", np.where(part.mask, 255, 0).astype(np.uint8))


def _save_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, compress_level=4)
