"""Product folders in the layout of MVTec 3D-AD, rendered by a pool of processes."""

from __future__ import annotations

import io
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

from evaluation.demo_parts.generators import GENERATORS, HEIGHTS, DemoGenerator, DemoProduct
from evaluation.demo_parts.keys import PartKey
from evaluation.demo_parts.pool_worker import end_with_parent, without_ctrl_c
from evaluation.demo_parts.resize import Size, resized

RECORD = "parts.json"
"""File in a complete product folder."""
GOOD_SHARE = 0.4
"""Share of good parts among the test parts."""
WORTH_A_POOL = 12
"""Number of parts from which a process pool is used. For fewer parts, starting processes takes longer."""

PartsProgress = Callable[[int, int], None]
Job = tuple[Path, str, PartKey, Size, Path | None]
"""The product's folder, the generator's name, the key and the size of one part, and the product's folder with
the same part as it is rendered, if there is one."""


def write_demo_parts(
    out: Path,
    *,
    products: Sequence[str] | None = None,
    seed: int = 0,
    train: int = 40,
    validation: int = 10,
    test: int = 40,
    size: Size | None = None,
    generator: DemoGenerator = HEIGHTS,
    rendered: Path | None = None,
    progress: PartsProgress | None = None,
) -> list[Path]:
    """Write demo products below `out`. Returns their folders.

    Args:
        out: folder for the product folders.
        products: names of the generator's products; None writes all of them.
        seed: the same seed gives the same bytes, independent of the other arguments.
        train, validation, test: number of parts of each product.
        size: of the parts; None leaves them as they are rendered.
        generator: which family of parts.
        rendered: folder in which this function wrote the same parts as they are rendered. They are resized
            instead of rendered once more, and the bytes are the same.
        progress: callback with the parts done and the number of parts, first with 0 parts done.

    A complete folder with the same settings is kept. A folder with other settings is replaced. Raises
    ValueError for an unknown product or a negative count; FileExistsError for a folder that this function did
    not write.
    """
    names = dict.fromkeys(generator.products if products is None else products)
    chosen = [_product(generator, name) for name in names]
    if min(train, validation, test) < 0:
        raise ValueError("train, validation and test must not be negative")
    size = size or Size()
    records = {p.name: _record(generator, p, seed, train, validation, test, size) for p in chosen}
    due = [p for p in chosen if _is_due(out / p.name, records[p.name])]
    keys = {p.name: list(_keys(p, seed, train, validation, test)) for p in due}
    for product in due:
        shutil.rmtree(_unfinished(out, product), ignore_errors=True)
    jobs = [
        (_unfinished(out, one), generator.name, key, size, rendered and rendered / one.name)
        for one in due
        for key in keys[one.name]
    ]
    _write_all(jobs, progress or _silent)
    for product in due:
        _finish(out, product, records[product.name])
    return [out / product.name for product in chosen]


def _product(generator: DemoGenerator, name: str) -> DemoProduct:
    if name not in generator.products:
        listed = ", ".join(generator.products)
        raise ValueError(
            f"Unknown demo product {name!r}. Choose from {listed} (--generator {generator.name})."
        )
    return generator.products[name]


def _silent(done: int, total: int) -> None:
    pass


def _record(
    generator: DemoGenerator,
    product: DemoProduct,
    seed: int,
    train: int,
    validation: int,
    test: int,
    size: Size,
) -> dict[str, object]:
    """The content of `parts.json`: everything that is needed to make the folder again."""
    return {
        "product": product.name,
        **generator.record,
        "seed": seed,
        "counts": {"train": train, "validation": validation, "test": test},
        "families": {defect: generator.families[defect] for defect in product.defects},
        "image": {"rows": product.rows, "cols": product.cols},
        "licence": "CC0-1.0",
        **size.record(),
    }


def _is_due(folder: Path, record: dict[str, object]) -> bool:
    """Whether the folder must be written. Raises FileExistsError if the folder has other content."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return True
    try:
        existing = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        existing = None
    if not isinstance(existing, dict) or existing.get("generator") != record["generator"]:
        raise FileExistsError(f"{folder} exists and was not written by demo-parts. Choose another folder.")
    return existing != record


def _keys(product: DemoProduct, seed: int, train: int, validation: int, test: int) -> Iterator[PartKey]:
    """The keys of all parts of a product. A part depends only on its key, not on the counts."""
    good = round(GOOD_SHARE * test)
    shares = [("train", "good", train), ("validation", "good", validation), ("test", "good", good)]
    kinds = len(product.defects)
    for place, defect in enumerate(product.defects):
        shares.append(("test", defect, (test - good + kinds - 1 - place) // kinds))
    for split, kind, count in shares:
        for index in range(count):
            yield PartKey(seed, product.name, split, kind, index)


def _unfinished(out: Path, product: DemoProduct) -> Path:
    """Temporary folder of a product that is not complete."""
    return out / f".{product.name}.unfinished"


def _finish(out: Path, product: DemoProduct, record: dict[str, object]) -> None:
    """Write the record, and move the complete folder to its place."""
    source, target = _unfinished(out, product), out / product.name
    source.mkdir(parents=True, exist_ok=True)
    (source / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if target.exists():
        shutil.rmtree(target)
    source.rename(target)


def _write_all(jobs: Sequence[Job], progress: PartsProgress) -> None:
    """Render and write all jobs, in this process or in a pool of new processes."""
    progress(0, len(jobs))
    if len(jobs) < WORTH_A_POOL:
        for done, job in enumerate(jobs, start=1):
            _write_part(job)
            progress(done, len(jobs))
        return
    # Spawn instead of fork: a fork would copy locks of the caller's threads (torch, Open3D) in any state.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh, initializer=end_with_parent) as pool:
        try:
            with without_ctrl_c():
                written = pool.map(_write_part, jobs, chunksize=4)
            for done, _ in enumerate(written, start=1):
                progress(done, len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _write_part(job: Job) -> None:
    """Write one part in its product's folder. The bytes do not depend on time or place."""
    folder, name, key, size, rendered = job
    generator = GENERATORS[name]
    kind = Path(key.split, key.kind)
    image, cloud, truth = (
        kind / field / f"{key.index:03d}.{suffix}"
        for field, suffix in (("rgb", "png"), ("xyz", "tiff"), ("gt", "png"))
    )
    if rendered is None:
        part = generator.render(key)
        xyz = part.xyz
        _save_png(folder / image, part.rgb)
        if key.split == "test":
            _save_png(folder / truth, np.where(part.mask, 255, 0).astype(np.uint8))
    else:
        xyz = tifffile.imread(rendered / cloud)
        for file in (image, truth) if key.split == "test" else (image,):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(rendered / file, folder / file)
    (folder / cloud).parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()  # written to a full disk, tifffile would not say that it is full
    tifffile.imwrite(
        file,
        resized(xyz, lambda: generator.stand(key), size),
        photometric="minisblack",
        planarconfig="contig",
        metadata=None,
        software=False,
    )
    (folder / cloud).write_bytes(file.getbuffer())


def _save_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, compress_level=4)
