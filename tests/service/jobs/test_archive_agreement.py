"""A folder, the zip of that folder, and `tribank data check` list the same parts and the same sentences."""

from __future__ import annotations

import os
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evaluation.datasets.check import check_dataset
from models.readers import ReadLimits
from models.readers.product_folder import PartFile, ProductFolder, open_product_folder
from models.readers.product_places import NotAProductFolder, SeveralProducts
from service.jobs.archive import ArchiveLimits, PartsArchive
from service.refusals import Refusal

LIMITS = ArchiveLimits(entries=1000, bytes=1 << 24)
NFC, NFD = (unicodedata.normalize(form, "Löcher") for form in ("NFC", "NFD"))

TOPS = st.sampled_from(["", "", "p/", "line 3 [left]/p/", "a/b/c/"])
PLACES = st.sampled_from(
    ["", "train/good/", "Train/GOOD/", "training/", "val/good/", "test/hole/", "test/good/", f"TEST/{NFC}/",
     "good/", "OK/", "dent 2/", f"{NFD}/", "train/hole/", "extra/", "good/old/"]
)  # fmt: skip
ROLES = st.sampled_from(
    [
        "",
        "rgb/",
        "xyz/",
        "Color/",
        "images/",
        "Point Cloud/",
        "clouds/",
        "gt/",
        "mask/",
        "depth/",
        "x/",
        "Y/",
        "z/",
    ]
)
STEMS = st.sampled_from(
    ["000", "1", "01", "10", "000_rgb", "000_xyz", "000.ome", "000_mask", "000_depth", "000_x",
     "000_y", "000_z", "color_000", "A", "a b", NFC, NFD,
     os.fsdecode(b"Geh\xe4use")]
)  # fmt: skip
ENDINGS = st.sampled_from(
    [".png", ".PNG", ".tiff", ".TIF", ".ply", ".npz", ".jpeg", ".gif", ".lnk", ".txt", ""]
)
PARTS = st.tuples(TOPS, PLACES, ROLES, STEMS, ENDINGS).map("".join)
PAIRS = st.tuples(PLACES, STEMS).map(
    lambda pair: [f"{pair[0]}rgb/{pair[1]}.png", f"{pair[0]}xyz/{pair[1]}.tiff"]
)
MASKS = st.tuples(
    st.sampled_from(["ground_truth/hole/", "test/ground_truth/hole/", "Ground Truth/dent 2/"]), STEMS
).map(lambda pair: [f"{pair[0]}{pair[1]}_mask.png"])
STRAYS = st.sampled_from(
    [".DS_Store", "Thumbs.db", "__MACOSX/rgb/._0.png", "readme.txt", "preview.png", "docs/photo.jpg", "xyz/"]
)
TREES = st.lists(
    st.one_of(PARTS.map(lambda name: [name]), PAIRS, PAIRS, MASKS, STRAYS.map(lambda name: [name])),
    max_size=12,
).map(lambda lists: [name for names in lists for name in names])


def write(folder: Path, names: Iterable[str]) -> list[str]:
    """Make the files, and the folders whose names end with "/". Names that clash with others are left out.

    A zip may not hold two names that differ in case or accents only.
    """
    made: dict[str, str] = {}
    for name in names:
        steps = name.rstrip("/").split("/")
        above = ["/".join(steps[:count]) for count in range(1, len(steps) + 1)]
        keys = [unicodedata.normalize("NFC", step).casefold() for step in above]
        if any(made.get(key, step) != step for key, step in zip(keys, above, strict=True)):
            continue
        place = folder / name
        is_folder = name.endswith("/")
        if place.exists() or any((folder / step).is_file() for step in above):
            continue
        (place if is_folder else place.parent).mkdir(parents=True, exist_ok=True)
        if not is_folder:
            place.write_bytes(b"x")
        made |= dict(zip(keys, above, strict=True))
    return sorted(made.values())


class _Unmarked(zipfile.ZipInfo):
    """An entry as Info-ZIP writes it: the name's bytes of the file system, without the mark of UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return os.fsencode(self.filename), self.flag_bits


def zipped(folder: Path, file: Path, names: Iterable[str], kind: type[zipfile.ZipInfo]) -> Path:
    """The zip of a folder's content."""
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            path = folder / name
            info = kind(f"{name}/" if path.is_dir() else name)
            info.create_system = 3
            archive.writestr(info, b"" if path.is_dir() else path.read_bytes())
    return file


Described = tuple[list[tuple[str | None, ...]], tuple[str, ...]]


def described(product: ProductFolder, place: Callable[[Path], str]) -> Described:
    """Every part with its files, and every sentence."""
    parts = (*product.train, *product.validation, *product.test)
    rows = [
        (
            part.split,
            part.defect,
            part.name,
            *(f"{field} {place(file)}" for field, file in part.files.items()),
            part.mask and place(part.mask),
        )
        for part in parts
    ]
    return rows, product.skipped


def of_zip(file: Path) -> Described | str:
    try:
        archive = PartsArchive(file, LIMITS)
    except Refusal as refusal:
        return refusal.code
    with closing(archive):
        product = ProductFolder(archive.parts, (), (), archive.left_out)
        return described(product, lambda path: path.at)  # pyright: ignore[reportAttributeAccessIssue]


def extracted(file: Path, folder: Path) -> list[str]:
    """The names of the good parts, after a build's extraction."""
    with closing(PartsArchive(file, LIMITS)) as archive:
        inside = archive.extract(folder, ReadLimits(), lambda done, total: None)
    product = open_product_folder(inside)
    return [part.name for part in (*product.train, *product.validation)]


def of_folder(folder: Path) -> ProductFolder | str:
    """The product, or why there is none: "several" or "none"."""
    try:
        return open_product_folder(folder)
    except NotAProductFolder as error:
        return "several" if isinstance(error, SeveralProducts) else "none"


def is_whole(part: PartFile) -> bool:
    """Whether the part has an image and a cloud. A zip for a build needs both."""
    return part.has_cloud and ("rgb" in part.files or "sample" in part.files)


@given(names=TREES, kind=st.sampled_from([zipfile.ZipInfo, _Unmarked]))
@example(names=["ground_truth/hole/1_mask.png", "ground_truth/hole/01_mask.png"], kind=zipfile.ZipInfo)
@settings(max_examples=120, deadline=None)
def test_a_folder_its_zip_and_the_check_agree(names: list[str], kind: type[zipfile.ZipInfo]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder, file = Path(scratch) / "tree", Path(scratch) / "tree.zip"
        folder.mkdir()
        made = write(folder, names)
        marked = all(name.isprintable() for name in made)  # other names cannot be marked as UTF-8
        zipped(folder, file, made, kind if marked else _Unmarked)
        product = of_folder(folder)
        if isinstance(product, str):
            assert of_zip(file) == "no_parts"
            if product == "none":
                with pytest.raises(NotAProductFolder):
                    check_dataset(folder)
            return
        assert of_zip(file) == described(product, lambda path: path.relative_to(folder).as_posix())
        (report,) = check_dataset(folder).products
        assert sum(report.counts.values()) == len([*product.train, *product.validation, *product.test])
        assert report.skipped == product.skipped
        good = [*product.train, *product.validation]
        if good and all(map(is_whole, good)):
            assert extracted(file, Path(scratch) / "out") == [part.name for part in good]
