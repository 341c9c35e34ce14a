"""Convert Eyecandies classes to product folders. The paper and the published script differ in some
choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.datasets.eyecandies import (
    COUNTS,
    ENVIRONMENT_LIGHT,
    FAMILIES,
    RAW_SPLITS,
    BadEyecandies,
    Light,
    RawPart,
    list_parts,
    read_part,
)
from evaluation.datasets.eyecandies_geometry import CloudFrame
from evaluation.datasets.product_writer import ConvertedPart, write_product

DEFECT = "bad"
"""The one defect folder of the published script."""


@dataclass(frozen=True, slots=True)
class EyecandiesSettings:
    """Choices of the conversion.

    Attributes:
        light: number of the RGB image: 5 as the paper says, or 4 as in the published script.
        frame: see `eyecandies_geometry.CloudFrame`.
        train: how many of the 1000 training parts are kept ("less than 400" in the paper); 0 keeps all.
        by_family: write one folder per kind of defect (several kinds: "combined"). The script writes one
            folder, "bad".
    """

    light: Light = ENVIRONMENT_LIGHT
    frame: CloudFrame = "script"
    train: int = 400
    by_family: bool = False


def convert_class(
    folder: Path,
    out: Path,
    settings: EyecandiesSettings,
    skipped: list[str],
    progress: Callable[[], None] | None = None,
) -> bool:
    """Write one class as a product folder. Returns and raises as `write_product`.

    Args:
        folder: of the class.
        out: product folder to write.
        settings: of the conversion.
        skipped: gets one message for each unreadable part.
        progress: called once per part.
    """
    parts = chosen_parts(folder, settings)
    record = {"from": "Eyecandies", "class": folder.resolve().name, "parts": len(parts), **asdict(settings)}
    left_out: list[str] = []
    written = write_product(out, _converted(parts, settings, left_out, progress), record, left_out)
    skipped.extend(left_out)
    return written


def chosen_parts(folder: Path, settings: EyecandiesSettings) -> list[RawPart]:
    """The parts that a conversion with these settings reads."""
    parts = list(list_parts(folder))
    train = [part for part in parts if part.split == "train"]
    kept = train[: settings.train] if settings.train else train
    return kept + [part for part in parts if part.split != "train"]


def part_gaps(folder: Path, settings: EyecandiesSettings) -> Iterator[str]:
    """One message for each count that differs from the official archive, and each missing file."""
    parts = list(list_parts(folder))
    for split, expected in COUNTS.items():
        count = sum(part.split == split for part in parts)
        if count != expected:
            yield f"{split}: {count} parts, but the official archive has {expected}."
    items = ["info_depth.yaml", "pose.txt", f"image_{settings.light}.png"]
    masks = ["mask.png", *(f"{name}_mask.png" for name in FAMILIES)]
    for part in parts:
        needed = items + (masks if part.split == "test_public" else [])
        if missing := [item for item in needed if not part.file(item).is_file()]:
            yield f"{part.split}/{part.index}: {', '.join(missing)} missing, so the part will be skipped."


def _converted(
    parts: list[RawPart],
    settings: EyecandiesSettings,
    skipped: list[str],
    progress: Callable[[], None] | None,
) -> Iterator[ConvertedPart]:
    for part in parts:
        try:
            read = read_part(part, settings.light, settings.frame)
        except (BadEyecandies, OSError) as bad:
            skipped.append(f"{part.split}/{part.index}: {bad}")
        else:
            split = RAW_SPLITS[part.split]
            place = f"{split}/{_defect(bool(read.mask.any()), read.families, settings)}"
            mask = read.mask if split == "test" else None
            yield ConvertedPart(place, part.index, read.rgb, read.xyz, mask)
        if progress:
            progress()


def _defect(defective: bool, families: tuple[str, ...], settings: EyecandiesSettings) -> str:
    """Folder of a part. As in the script, one pixel in the mask makes a part defective."""
    if not defective:
        return "good"
    if not settings.by_family or not families:
        return DEFECT
    return families[0] if len(families) == 1 else "combined"
