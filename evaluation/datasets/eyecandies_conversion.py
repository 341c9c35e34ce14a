"""Eyecandies classes to product folders, with the choices that paper and published script differ on."""

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
from evaluation.datasets.eyecandies_geometry import Frame
from evaluation.datasets.product_writer import ConvertedPart, write_product

DEFECT = "bad"
"""The one defect folder of the published script."""


@dataclass(frozen=True, slots=True)
class EyecandiesSettings:
    """light: which image is the RGB image: 5, the paper's words, or 4, the published script's choice.
    frame: see `eyecandies_geometry.Frame`. train: first parts kept of the 1000 ("less than 400" in the
    paper; 0 = all). by_family: one defect folder a kind of defect (several on a part: "combined") instead
    of the script's one, "bad".
    """

    light: Light = ENVIRONMENT_LIGHT
    frame: Frame = "script"
    train: int = 400
    by_family: bool = False


def convert_class(
    folder: Path,
    out: Path,
    settings: EyecandiesSettings,
    skipped: list[str],
    progress: Callable[[], None] | None = None,
) -> bool:
    """Write one class as the product folder `out`; contract of `write_product`. Unreadable parts are left
    out, a sentence each in `skipped`. progress: called once a part."""
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
    """A sentence for every count that is not the data set's and every file a conversion would miss."""
    parts = list(list_parts(folder))
    for split, expected in COUNTS.items():
        found = sum(part.split == split for part in parts)
        if found != expected:
            yield f"{split}: {found} parts, where the official archive has {expected}."
    items = ["info_depth.yaml", "pose.txt", f"image_{settings.light}.png"]
    masks = ["mask.png", *(f"{name}_mask.png" for name in FAMILIES)]
    for part in parts:
        needed = items + (masks if part.split == "test_public" else [])
        if gone := [item for item in needed if not part.file(item).is_file()]:
            yield f"{part.split}/{part.index}: has no {', '.join(gone)}; it would be skipped."


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
    """Any pixel of the mask makes a part bad, as in the script."""
    if not defective:
        return "good"
    if not settings.by_family or not families:
        return DEFECT
    return families[0] if len(families) == 1 else "combined"
