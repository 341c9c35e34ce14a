"""One product folder looked over: what there is, what is missing, what will be skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy import ndimage

from evaluation.datasets.mvtec3d import CATEGORIES, count_findings, size_findings
from evaluation.metrics.map_folder import is_blurred, read_mask
from models.readers.product_folder import GOOD, PartFile, ProductFolder
from models.sample import BadSample, check_range

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ProductReport:
    """counts: parts by "train", "validation", "test good", "test <defect>". inputs: what every part has,
    "rgb", "xyz" or both. findings: what is missing or odd. skipped: what no command will use."""

    name: str
    counts: dict[str, int]
    inputs: tuple[str, ...]
    findings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = field(default=())


def check_product(name: str, folder: ProductFolder, deep: bool = False) -> ProductReport:
    """Look a product over. One part a split and defect is looked at for its size; `deep` reads every part."""
    parts = (*folder.train, *folder.validation, *folder.test)
    findings = [
        *_missing_splits(folder),
        *count_findings(name, folder),
        *_mask_findings(folder.test),
        *_sizes(name, parts),
        *(_deep_findings(name, parts) if deep else ()),
    ]
    return ProductReport(name, _counts(folder), _inputs(parts), tuple(findings), folder.skipped)


def _counts(folder: ProductFolder) -> dict[str, int]:
    counts = {"train": len(folder.train), "validation": len(folder.validation)}
    return counts | {f"test {name}": count for name, count in Counter(p.defect for p in folder.test).items()}


def _inputs(parts: Sequence[PartFile]) -> tuple[str, ...]:
    whole = all(_is_whole(part) for part in parts)
    rgb = whole or all(part.rgb for part in parts)
    xyz = all(part.xyz for part in parts)
    return tuple(name for name, there in (("rgb", rgb), ("xyz", xyz)) if there)


def _missing_splits(folder: ProductFolder) -> Iterator[str]:
    defects = {part.defect for part in folder.test}
    if not folder.train:
        yield "There are no training parts: nothing can be learnt."
    if not folder.test:
        yield "There are no test parts: a bank can be built, but not evaluated."
    elif defects == {GOOD}:
        yield "There is no defective test part: only false rejects can be counted."
    elif GOOD not in defects:
        yield "There is no good test part: image metrics are impossible."


def _mask_findings(test: Sequence[PartFile]) -> Iterator[str]:
    bare = [part.name for part in test if part.defect != GOOD and part.mask is None]
    if bare:
        yield f"{len(bare)} defective parts have no mask ({bare[0]} first): no pixel metrics with them."


def _sizes(name: str, parts: Sequence[PartFile]) -> Iterator[str]:
    """Findings from the first part of every split and defect; each sentence once."""
    first = {(part.split, part.defect): part for part in reversed(parts)}
    seen: dict[str, str] = {}
    for part in reversed(first.values()):
        if _is_whole(part):
            continue
        try:
            image = _image_size(part.rgb) if part.rgb else None
            cloud = _cloud_size(part.xyz) if part.xyz else None
            mask = _image_size(part.mask) if part.mask else None
            blurred = part.mask is not None and is_blurred(part.mask)
        except (OSError, ValueError, tifffile.TiffFileError) as bad:
            yield f"{part.name} cannot be read: {bad}"
            continue
        for finding in size_findings(name, image, cloud):
            seen.setdefault(finding, part.name)
        if mask and mask != (image or cloud):
            seen.setdefault(
                "The mask is of another size than the image: it is fitted, nearest pixel.", part.name
            )
        if blurred:
            seen.setdefault(
                "The mask has many values, as a JPEG has: above half of the brightest is defect.", part.name
            )
    yield from (f"{part}: {finding}" for finding, part in seen.items())


def _image_size(path: Path) -> Size:
    with Image.open(path) as image:
        return image.height, image.width


def _cloud_size(path: Path) -> Size | None:
    """(height, width) from the header of a TIFF or NPY cloud; None for other kinds."""
    if path.suffix.lower() == ".npy":
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    elif path.suffix.lower() in (".tif", ".tiff"):
        with tifffile.TiffFile(path) as tiff:
            shape = tiff.series[0].shape
    else:
        return None
    return (int(shape[0]), int(shape[1])) if len(shape) > 1 else None


def _deep_findings(name: str, parts: Sequence[PartFile]) -> Iterator[str]:
    """Every part read in full; and the official number of defect regions."""
    regions = 0
    for part in parts:
        try:
            sample = part.read()
            check_range(sample)
            if part.xyz and not sample.valid.any():
                yield f"{part.name}: the cloud holds no point."
            if part.mask:
                regions += _regions(part.mask)
        except (BadSample, ValueError, OSError) as bad:
            yield f"{part.name} cannot be read: {bad}"
    official = CATEGORIES.get(name)
    if official and regions != official.regions:
        yield f"{regions} defect regions (8-connected), where the official archive has {official.regions}."


def _regions(mask: Path) -> int:
    label = read_mask(mask).astype(np.int32)
    return int(ndimage.label(label, structure=np.ones((3, 3), bool), output=label))  # pyright: ignore


def _is_whole(part: PartFile) -> bool:
    """An NPZ file holds both image and cloud."""
    return part.xyz is not None and part.xyz.suffix.lower() == ".npz"
