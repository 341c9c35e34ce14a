"""Check one product folder: counts of parts, missing files, and parts that will be skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from evaluation.datasets.mvtec3d import CATEGORIES, count_findings, size_findings
from evaluation.metrics.map_folder import is_blurred, read_mask
from models.readers.folder_layout import GOOD
from models.readers.product_folder import PartFile, ProductFolder
from models.regions import label_regions
from models.sample import BadSample, check_range

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ProductReport:
    """The result for one product.

    Attributes:
        name: of the product.
        counts: parts by "train", "validation", "test good", "test <defect>".
        inputs: inputs that every part has: "rgb", "xyz" or both.
        findings: missing or unusual files.
        skipped: parts that no command will use.
    """

    name: str
    counts: dict[str, int]
    inputs: tuple[str, ...]
    findings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = field(default=())


def check_product(name: str, folder: ProductFolder, deep: bool = False) -> ProductReport:
    """Check a product. The sizes of one part per split and defect are checked; `deep` reads every part."""
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
    rgb = all("rgb" in part.files or "sample" in part.files for part in parts)
    xyz = all(part.has_cloud for part in parts)
    return tuple(name for name, complete in (("rgb", rgb), ("xyz", xyz)) if complete)


def _missing_splits(folder: ProductFolder) -> Iterator[str]:
    defects = {part.defect for part in folder.test}
    if not folder.train:
        yield "There are no training parts, so no bank can be built."
    if not folder.test:
        yield "There are no test parts, so a bank can be built but not evaluated."
    elif defects == {GOOD}:
        yield "There are no defective test parts, so only false rejects can be counted."
    elif GOOD not in defects:
        yield "There are no good test parts, so image metrics cannot be computed."


def _mask_findings(test: Sequence[PartFile]) -> Iterator[str]:
    unmasked = [part.name for part in test if part.defect != GOOD and part.mask is None]
    if unmasked:
        yield (
            f"{len(unmasked)} defective parts have no mask, so pixel metrics leave them out (first: "
            f"{unmasked[0]})."
        )


def _sizes(name: str, parts: Sequence[PartFile]) -> Iterator[str]:
    """Findings from the first part of each split and defect. Each finding is reported once."""
    first = {(part.split, part.defect): part for part in reversed(parts)}
    seen: dict[str, str] = {}
    for part in reversed(first.values()):
        if "sample" in part.files:
            continue
        try:
            image = _image_size(part.files["rgb"]) if "rgb" in part.files else None
            cloud = _cloud_size(part.files["xyz"]) if "xyz" in part.files else None
            mask = _image_size(part.mask) if part.mask else None
            blurred = part.mask is not None and is_blurred(part.mask)
        except (OSError, ValueError, tifffile.TiffFileError) as bad:
            yield f"{part.name} cannot be read: {bad}"
            continue
        for finding in size_findings(name, image, cloud):
            seen.setdefault(finding, part.name)
        if mask and mask != (image or cloud):
            seen.setdefault(
                "The mask has another size than the image, so it will be resized (nearest pixel).", part.name
            )
        if blurred:
            seen.setdefault(
                "The mask has many values, as a JPEG has. Pixels above half of the brightest are defect.",
                part.name,
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
    """Findings from reading every part completely, and from counting the defect regions."""
    regions = 0
    for part in parts:
        try:
            sample = part.read()
            check_range(sample)
            if part.has_cloud and not sample.valid.any():
                yield f"{part.name}: the cloud has no point."
            if part.mask:
                regions += label_regions(read_mask(part.mask))[1]
        except (BadSample, ValueError, OSError) as bad:
            yield f"{part.name} cannot be read: {bad}"
    official = CATEGORIES.get(name)
    if official and regions != official.regions:
        yield f"{regions} defect regions (8-connected), but the official archive has {official.regions}."
