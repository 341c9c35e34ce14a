"""Folders of depth maps and camera intrinsics, as the recorders of many 3D cameras write them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.datasets.product_writer import ConvertedPart
from evaluation.metrics.map_folder import read_mask
from models.digest import sha256_of
from models.readers import read_files
from models.sample import BadSample, check_range, without_returns

INTRINSICS = "intrinsics.json"
DEPTH_SUFFIXES = (".png", ".tiff", ".tif", ".npy")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
LAYOUT = (
    "<folder>/intrinsics.json ({fx, fy, cx, cy, depth_scale}, or the form of RealSense, Open3D or ROS), "
    "<place>/depth/000.png, <place>/rgb/000.png and <place>/gt/000.png, where <place> is the folder itself, "
    "good, train/good, ..."
)


@dataclass(frozen=True, slots=True)
class DepthPart:
    """The files of one part. place: folder below the root, such as "test/hole" or "."."""

    place: str
    depth: Path
    rgb: Path | None
    mask: Path | None
    intrinsics: Path

    @property
    def name(self) -> str:
        """The part's name, such as "test/hole/003"."""
        return f"{self.place}/{self.depth.stem}".removeprefix("./")


def list_depth_parts(root: Path) -> tuple[DepthPart, ...]:
    """All depth parts below `root`, at most three folders deep; () if there are none. No file is read.

    The intrinsics.json of a place is preferred to the root's. Raises ValueError if neither exists.
    """
    parts: list[DepthPart] = []
    folders = [
        folder for steps in range(3) for folder in sorted(root.glob("/".join(["*"] * steps + ["depth"])))
    ]
    for folder in (folder for folder in folders if folder.is_dir()):
        place = folder.parent
        depths = sorted(path for path in folder.iterdir() if path.suffix.lower() in DEPTH_SUFFIXES)
        intrinsics = next((at / INTRINSICS for at in (place, root) if (at / INTRINSICS).is_file()), None)
        if depths and intrinsics is None:
            raise ValueError(
                f"{place} has depth maps, but no {INTRINSICS} is in {place} or {root}. Expected: {LAYOUT}"
            )
        for depth in depths:
            rgb, mask = (_beside(place / name, depth.stem) for name in ("rgb", "gt"))
            parts.append(DepthPart(place.relative_to(root).as_posix(), depth, rgb, mask, intrinsics or root))
    return tuple(parts)


def convert_depth_parts(
    parts: tuple[DepthPart, ...], skipped: list[str], invalid_value: float | None = None
) -> Iterator[ConvertedPart]:
    """Convert depth maps to clouds, part by part.

    Args:
        parts: from `list_depth_parts`.
        skipped: gets one message for each part that cannot be read.
        invalid_value: z, metres, that means no return, besides 0 and NaN.
    """
    for part in parts:
        try:
            files = {"depth": part.depth, "intrinsics": part.intrinsics} | (
                {} if part.rgb is None else {"rgb": part.rgb}
            )
            sample = without_returns(read_files(files), invalid_value)
            check_range(sample)
            mask = None if part.mask is None else read_mask(part.mask)
        except (BadSample, OSError, ValueError) as bad:
            skipped.append(f"{part.name}: {bad}")
            continue
        rgb = None if part.rgb is None else sample.rgb
        yield ConvertedPart(part.place, part.depth.stem, rgb, sample.xyz, mask)


def digest_of_parts(parts: tuple[DepthPart, ...]) -> str:
    """Hex sha256 of the names and contents of all files that a conversion of `parts` reads."""
    digest = hashlib.sha256()
    for part in parts:
        for path in (part.depth, part.rgb, part.mask, part.intrinsics):
            digest.update(f"{part.name} {path and path.name} {path and _content(path)}\n".encode())
    return digest.hexdigest()


def _content(path: Path) -> str:
    """sha256 of the file. For an unreadable file, the conversion itself reports the error."""
    try:
        return sha256_of(path)
    except OSError:
        return "unreadable"


def _beside(folder: Path, stem: str) -> Path | None:
    paths = (folder / f"{stem}{suffix}" for suffix in IMAGE_SUFFIXES)
    return next((path for path in paths if path.is_file()), None)
