"""A product's folder: which recorded parts are in it. Every command and the zip reader list parts here.

Known are the layouts of MVTec 3D-AD and MVTec AD, good/ beside one folder per defect, and good parts only
(`folder_layout` holds the names as data). The product may lie some folders below the named folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.readers.declared import UNDECLARED, declared, words_of
from models.readers.file_names import name_key, printable, word_key
from models.readers.folder_layout import (
    CLOUD_ROLES,
    GOOD,
    GOOD_NAMES,
    INTRINSICS_FILE,
    PART_SUFFIX,
    SENSOR_FILE,
    SPLIT_NAMES,
    SPLITS,
    Layout,
    Split,
    is_good,
    role_of_folder,
    word_file,
)
from models.readers.folder_listing import Listing, holds_parts, left_out, list_folder, may_be_part
from models.readers.limits import DEFAULT_LIMITS, TEXT_BYTES, ReadLimits
from models.readers.part import read_files
from models.readers.part_files import RoleFolder, parts_in
from models.readers.product_places import SeveralProducts, find_products, no_parts
from models.sample import BadSample, Sample
from recipes.sensor import Sensor

_CLOUDS = frozenset(role for roles in CLOUD_ROLES for role in roles)


@dataclass(frozen=True, slots=True)
class PartFile:
    """The files of one part.

    Attributes:
        name: such as "test/hole/003", unique in its folder, as `printable` writes it.
        defect: "good" or the defect's name.
        files: at least one file by the name of its field, as in an upload: rgb (image), and xyz (cloud or
            height map), depth (depth map) or x, y and z (planes of a cloud); or sample (NPZ).
        mask: image of the defect (not 0 = defect), if there is one.
        declared: what the folder declares about the files, as further fields.
    """

    name: str
    split: Split
    defect: str
    files: Mapping[str, Path]
    mask: Path | None = None
    declared: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def has_cloud(self) -> bool:
        """Whether the part has a file with a cloud."""
        return any(field != "rgb" for field in self.files)

    def read(self, sensor: Sensor = UNDECLARED, limits: ReadLimits = DEFAULT_LIMITS) -> Sample:
        """Read the part. Raises BadSample, whose message begins with the part's name; OSError.

        sensor: what is declared for the product. What the folder declares overrides it.
        """
        try:
            return read_files(self.files, sensor, limits, words=self.declared)
        except BadSample as bad:
            raise type(bad)(bad.code, f"{self.name}: {bad}", bad.field) from bad


@dataclass(frozen=True, slots=True)
class ProductFolder:
    """The parts of a folder in natural order (2 before 10), good parts first.

    skipped: one sentence for each kind of file or folder that looked like a part and was left out.
    layout: how the folder is laid out.
    roi: the file of the region of interest, if the folder has one.
    """

    train: tuple[PartFile, ...]
    validation: tuple[PartFile, ...]
    test: tuple[PartFile, ...]
    skipped: tuple[str, ...]
    layout: Layout = "splits"
    roi: Path | None = None

    @property
    def sensor(self) -> Sensor:
        """What is declared about the good parts. Raises BadSample: sensor_invalid, intrinsics_invalid."""
        words = [dict(part.declared) for part in (*self.train, *self.validation)] or [{}]
        if any(other != words[0] for other in words):
            raise BadSample(
                "sensor_invalid",
                f"The good parts are declared differently. Write one {SENSOR_FILE} and one {INTRINSICS_FILE} "
                "for the product.",
            )
        return declared(UNDECLARED, words[0])

    def declaring(self, words: Mapping[str, bytes], *, first: bool = True) -> ProductFolder:
        """The folder with further words about all parts.

        first: whether these words override what the folder declares.
        """
        splits = (self.train, self.validation, self.test)
        train, validation, test = (
            tuple(
                replace(part, declared={**part.declared, **words} if first else {**words, **part.declared})
                for part in parts
            )
            for parts in splits
        )
        return replace(self, train=train, validation=validation, test=test)

    @property
    def has_clouds(self) -> bool:
        """Whether any part has a cloud. Without clouds, the background cannot be removed."""
        return any(part.has_cloud for part in (*self.train, *self.validation, *self.test))


def open_product_folder(path: Path) -> ProductFolder:
    """List the parts of the one product at or below `path`, without reading them.

    In the layout with good/ beside one folder per defect, good parts are training parts and defective parts
    are test parts. Raises NotAProductFolder; SeveralProducts, if there is more than one product.
    """
    places = find_products(path)
    if not places.roots:
        raise no_parts(path, places.left_out)
    if len(places.roots) > 1:
        raise SeveralProducts(path, tuple(places.roots))
    (root,) = places.roots.values()
    product = open_product(root)
    return replace(product, skipped=(*product.skipped, *places.left_out))


def open_product(root: Path) -> ProductFolder:
    """List the parts of the product at `root`, a folder from `find_products`.

    Raises NotAProductFolder; BadSample sensor_invalid for a sensor.json that cannot be used.
    """
    listing = list_folder(root, "")
    notes = list(listing.notes)
    parts: dict[Split, list[PartFile]] = {split: [] for split in SPLITS}
    splits: dict[Split, Path] = {
        split: folder for split in SPLITS if (folder := _first(listing, SPLIT_NAMES[split], "", notes))
    }
    masks = _mask_folders(listing, "", notes)
    good = _first(listing, GOOD_NAMES, "", notes)
    if splits:
        known = [*splits.values(), *(place.path for place in masks)]
        notes += _strays(listing, "", known, "this is outside train/, validation/ and test/")
        for split, folder in splits.items():
            parts[split] += _split_parts(folder, split, masks, notes)
    elif good is not None:
        notes += _strays(listing, "", None, "this is outside good/ and the defects' folders")
        parts["train"] += _folder_parts(good, "train", GOOD, f"{GOOD}/", (), notes)
        for folder in _others(listing):
            defective = list(_defective_parts(folder, "", masks, notes))
            parts["test"] += defective
            if not defective:
                notes.append(left_out([folder], "", "this folder has no parts"))
    else:
        parts["train"] += _folder_parts(root, "train", GOOD, "", (), notes)
    if not any(parts.values()):
        raise no_parts(root, notes)
    train, validation, test = (tuple(parts[split]) for split in SPLITS)
    layout = "splits" if splits else "parts" if good is None else "good"
    roi = listing.regions[0] if listing.regions else None
    if roi and (others := listing.regions[1:]):
        notes.append(left_out(others, "", f"{printable(roi.name)} is used instead"))
    product = ProductFolder(train, validation, test, tuple(notes), layout, roi)
    return product.declaring(_declared(listing), first=False)


def _split_parts(
    folder: Path, split: Split, masks: Sequence[RoleFolder], notes: list[str]
) -> Iterator[PartFile]:
    """Parts of train/, validation/ or test/: one folder per defect, or good parts directly in train/."""
    prefix = f"{split}/"
    listing = list_folder(folder, prefix)
    notes += listing.notes
    masks = (*_mask_folders(listing, prefix, notes), *masks)
    good = _first(listing, GOOD_NAMES, prefix, notes)
    roles = {role_of_folder(folder.name) for folder in listing.folders.values()}
    files_only = any(map(may_be_part, listing.files)) and not [*_others(listing)]
    if split == "test":
        if ("rgb" in roles and roles & _CLOUDS) or files_only:
            notes.append(
                f"{split}: parts directly in this folder have no label. Use test/good and test/<defect>."
            )
            return
        notes += _strays(listing, prefix, None, "this is outside good/ and the defects' folders")
        if good is not None:
            yield from _folder_parts(good, split, GOOD, f"{prefix}{GOOD}/", _masks_of(masks, GOOD), notes)
        for defect in _others(listing):
            yield from _defective_parts(defect, prefix, masks, notes)
    elif good is None and (roles & {"rgb", *_CLOUDS} or files_only):
        yield from _folder_parts(folder, split, GOOD, prefix, (), notes)
    else:
        notes += _strays(listing, prefix, None, f"this is outside {split}/{GOOD}")
        for defect in _others(listing):
            notes.append(left_out([defect], prefix, f"{split} may hold good parts only, in {split}/{GOOD}"))
        if good is not None:
            yield from _folder_parts(good, split, GOOD, f"{prefix}{GOOD}/", (), notes)


def _defective_parts(
    folder: Path, prefix: str, masks: Sequence[RoleFolder], notes: list[str]
) -> Iterator[PartFile]:
    """Parts of a defect's folder."""
    defect = printable(folder.name)
    of_defect = _masks_of(masks, folder.name)
    yield from _folder_parts(folder, "test", defect, f"{prefix}{defect}/", of_defect, notes)


def _folder_parts(
    folder: Path, split: Split, defect: str, prefix: str, masks: Sequence[RoleFolder], notes: list[str]
) -> Iterator[PartFile]:
    words = _declared(list_folder(folder, prefix))
    for part in parts_in(folder, prefix, masks, notes):
        files: dict[str, Path] = {role: file for role, file in part.files.items() if role != "mask"}
        if "xyz" in files and files["xyz"].suffix.lower() == PART_SUFFIX:
            files["sample"] = files.pop("xyz")
        yield PartFile(f"{prefix}{part.name}", split, defect, files, part.files.get("mask"), words)


def _declared(listing: Listing) -> dict[str, bytes]:
    """The words in the sensor.json and the intrinsics.json of a folder. Raises BadSample: sensor_invalid."""
    words: dict[str, bytes] = {}
    for file in filter(lambda file: word_file(file.name), listing.files):
        with file.open("rb") as stream:
            text = stream.read(TEXT_BYTES + 1)
        intrinsics = word_key(file.name) == word_key(INTRINSICS_FILE)
        words = {**words, "intrinsics": text} if intrinsics else {**words_of(text), **words}
    return words


def _first(listing: Listing, names: Sequence[str], prefix: str, notes: list[str]) -> Path | None:
    """The folder with the first of `names` that is there. The folders with the other names get a sentence."""
    there = [folder for folder in listing.folders.values() if word_key(folder.name) in names]
    if not there:
        return None
    first, *rest = sorted(there, key=lambda folder: names.index(word_key(folder.name)))
    for folder in rest:
        notes.append(left_out([folder], prefix, f"the folder {printable(first.name)} is used instead"))
    return first


def _others(listing: Listing) -> Iterator[Path]:
    """The folders that are neither good parts nor masks."""
    for folder in listing.folders.values():
        if not is_good(folder.name) and role_of_folder(folder.name) != "mask":
            yield folder


def _mask_folders(listing: Listing, prefix: str, notes: list[str]) -> tuple[RoleFolder, ...]:
    """ground_truth/ and folders like it, which hold one folder per defect."""
    places = tuple(
        RoleFolder(folder, "mask", f"{prefix}{printable(folder.name)}/")
        for folder in listing.folders.values()
        if role_of_folder(folder.name) == "mask"
    )
    for place in places:
        notes += _strays(
            list_folder(place.path, place.prefix), place.prefix, None, "this is in no defect's folder"
        )
    return places


def _masks_of(masks: Sequence[RoleFolder], defect: str) -> tuple[RoleFolder, ...]:
    """The folders of a defect's masks: ground_truth/<defect> or ground_truth/test/<defect>."""
    found: list[RoleFolder] = []
    for place in masks:
        inside = list_folder(place.path, place.prefix).folders
        tests = [
            (folder, f"{place.prefix}{printable(folder.name)}/")
            for folder in inside.values()
            if word_key(folder.name) in SPLIT_NAMES["test"]
        ]
        for folders, prefix in (
            (inside, place.prefix),
            *((list_folder(test, at).folders, at) for test, at in tests),
        ):
            if name_key(defect) in folders:
                folder = folders[name_key(defect)]
                found.append(RoleFolder(folder, "mask", f"{prefix}{printable(folder.name)}/"))
    return tuple(found)


def _strays(listing: Listing, prefix: str, known: Collection[Path] | None, reason: str) -> Iterator[str]:
    """Sentences about files and folders with parts that are in no folder of the layout.

    known: the folders of the layout; None if every folder is of the layout.
    """
    if files := [file for file in listing.files if may_be_part(file)]:
        yield left_out(files, prefix, reason)
    for folder in listing.folders.values():
        if known is not None and folder not in known and holds_parts(folder):
            yield left_out([folder], prefix, reason)
