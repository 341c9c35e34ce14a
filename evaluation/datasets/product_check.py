"""Check one product folder: counts of parts, missing files, and parts that will be skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from banks.versions.image_bits import with_image_bits
from evaluation.datasets.file_headers import Header, Size, cloud_header, image_header
from evaluation.datasets.mvtec3d import CATEGORIES, count_findings, size_findings
from evaluation.datasets.points import Points, few, measure_points
from evaluation.metrics.map_folder import is_blurred, read_mask
from models.readers.declared import UNDECLARED
from models.readers.folder_layout import GOOD, Layout
from models.readers.product_folder import PartFile, ProductFolder
from models.regions import label_regions
from models.sample import BadSample, check_range

_LAYOUTS: Mapping[Layout, str] = {
    "splits": "train/, validation/ and test/",
    "good": "good/ beside one folder per defect",
    "parts": "good parts only",
}
_CLOUD_FIELDS = ("xyz", "depth", "x", "y", "z", "sample")

FEWEST_PARTS = 2
"""So many good parts a build needs: `MIN_PARTS` of the builder, whose import takes seconds."""
MOST_HEADERS = 4000
"""Files whose headers are read. Of more files, as many evenly spread ones are read."""


@dataclass(frozen=True, slots=True)
class ProductReport:
    """The result for one product.

    Attributes:
        name: of the product.
        counts: parts by "train", "validation", "test good", "test <defect>".
        inputs: inputs that every part has: "rgb", "xyz" or both.
        findings: missing or unusual files.
        skipped: parts that no command will use.
        layout: how the folder is laid out, in words.
        images, clouds: number of files by kind, values and size, the most frequent first.
        points: point pitch and extent, from a few parts.
        image_bits: significant bits of images with 16 bits, from a few parts; None for images with 8 bits.
    """

    name: str
    counts: dict[str, int]
    inputs: tuple[str, ...]
    findings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = field(default=())
    layout: str = ""
    images: dict[str, int] = field(default_factory=dict)
    clouds: dict[str, int] = field(default_factory=dict)
    points: Points | None = None
    image_bits: int | None = None

    @property
    def parts(self) -> int:
        """Number of parts."""
        return sum(self.counts.values())


def check_product(
    name: str,
    folder: ProductFolder,
    deep: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ProductReport:
    """Check a product by the headers of its files and a few whole parts.

    deep: read every part. progress: called with the number of parts that are read, and the number of parts.
    """
    parts = (*folder.train, *folder.validation, *folder.test)
    headers = [_headers(part) for part in _spread(parts, MOST_HEADERS)]
    points, unreadable = measure_points(folder.train or parts)
    doubt = points and points.doubt
    findings = [
        *([doubt] if doubt else ()),
        *_declaration_findings(folder),
        *_missing_splits(folder),
        *count_findings(name, folder),
        *_mask_findings(folder.test),
        *_header_findings(name, headers),
        *_blurred_masks(folder.test),
        *(_deep_findings(name, parts, progress) if deep else unreadable),
    ]
    return ProductReport(
        name=name,
        counts=_counts(folder),
        inputs=_inputs(parts),
        findings=tuple(dict.fromkeys(findings)),
        skipped=folder.skipped,
        layout=_LAYOUTS[folder.layout],
        images=_tally(headers, "rgb"),
        clouds=_tally(headers, *_CLOUD_FIELDS),
        points=points,
        image_bits=_image_bits(folder.train or parts),
    )


@dataclass(frozen=True, slots=True)
class _Headers:
    """The headers of one part's files by field, the size of its mask, and why a file cannot be read."""

    part: PartFile
    of: Mapping[str, Header]
    mask: Size | None
    fault: str | None


def _spread(parts: Sequence[PartFile], most: int) -> Sequence[PartFile]:
    return [parts[round(place)] for place in np.linspace(0, len(parts) - 1, min(most, len(parts)))]


def _headers(part: PartFile) -> _Headers:
    headers: dict[str, Header] = {}
    mask = None
    try:
        for field_name, path in part.files.items():
            headers[field_name] = (image_header if field_name == "rgb" else cloud_header)(path)
        if part.mask is not None:
            mask = image_header(part.mask).size
    except (OSError, ValueError) as bad:
        return _Headers(part, headers, mask, str(bad))
    return _Headers(part, headers, mask, None)


def _tally(headers: Sequence[_Headers], *fields: str) -> dict[str, int]:
    kinds = Counter(str(of.of[name]) for of in headers for name in fields if name in of.of)
    return dict(kinds.most_common())


def _header_findings(name: str, headers: Sequence[_Headers]) -> Iterator[str]:
    """Findings about sizes. Each finding is reported once, with the first part."""
    seen: dict[str, str] = {}
    for of in headers:
        if of.fault is not None:
            yield f"{of.part.name} cannot be read: {of.fault}"
            continue
        image, cloud = (header and header.size for header in (of.of.get("rgb"), of.of.get("xyz")))
        if of.part.declared.get("registration") == b"scaled":
            image = cloud
        for finding in size_findings(name, image, cloud):
            seen.setdefault(finding, of.part.name)
        if of.mask and (image or cloud) and of.mask != (image or cloud):
            seen.setdefault(
                "The mask has another size than the image, so it will be resized (nearest pixel).",
                of.part.name,
            )
    yield from (f"{part}: {finding}" for finding, part in seen.items())


def _blurred_masks(test: Sequence[PartFile]) -> Iterator[str]:
    """A finding for the first mask with many values. One mask of each defect is read."""
    first = {part.defect: part for part in reversed(test) if part.mask is not None}
    for part in reversed(first.values()):
        try:
            if part.mask is not None and is_blurred(part.mask):
                yield (
                    f"{part.name}: The mask has many values, as a JPEG has. Pixels above half of the "
                    "brightest are defect."
                )
                return
        except (OSError, ValueError):
            continue  # the headers tell


def _declaration_findings(folder: ProductFolder) -> Iterator[str]:
    try:
        _ = folder.sensor
    except BadSample as bad:
        yield str(bad)


def _image_bits(parts: Sequence[PartFile]) -> int | None:
    with suppress(BadSample, OSError):  # other findings say why an image cannot be read
        return with_image_bits(UNDECLARED, few(parts)).image_bits
    return None


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
    if folder.layout == "good" and folder.train:
        yield "tribank evaluate takes 30 % of the good parts as good test parts."
        defects.add(GOOD)
    if not defects and len(folder.train) < FEWEST_PARTS:
        yield f"A bank needs at least {FEWEST_PARTS} good parts, and there are no test parts."
    elif not defects:
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


def _deep_findings(
    name: str, parts: Sequence[PartFile], progress: Callable[[int, int], None]
) -> Iterator[str]:
    """Findings from reading every part completely, and from counting the defect regions."""
    regions = 0
    for number, part in enumerate(parts):
        progress(number, len(parts))
        try:
            sample = part.read()
            check_range(sample)
            if part.has_cloud and not sample.valid.any():
                yield f"{part.name}: the cloud has no point."
            if part.mask:
                regions += label_regions(read_mask(part.mask))[1]
        except (BadSample, ValueError, OSError) as bad:
            yield f"{part.name} cannot be read: {str(bad).removeprefix(f'{part.name}: ')}"
    progress(len(parts), len(parts))
    official = CATEGORIES.get(name)
    if official and regions != official.regions:
        yield f"{regions} defect regions (8-connected), but the official archive has {official.regions}."
