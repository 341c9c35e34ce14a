"""The files of one folder, sorted into parts: image, cloud and mask of a part have the same name.

Names are equal if they differ only in case, in the Unicode form of accents, in leading zeros, or in a word
for the role ("000_rgb.png" beside "000_xyz.tiff", "000_mask.png"). Where two files of one role would become
equal by this rule, only exactly equal names are paired.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.readers.file_names import natural, pair_key, printable, stem_of, word_key
from models.readers.folder_layout import (
    CLOUD_ROLES,
    IMAGE_SUFFIXES,
    NOTE_SUFFIXES,
    PART_SUFFIX,
    PART_SUFFIXES,
    ROLE_NAMES,
    ROLE_SUFFIXES,
    Role,
    role_in_name,
    role_of_folder,
)
from models.readers.folder_listing import Listing, holds_parts, left_out, list_folder, may_be_part, unread


@dataclass(frozen=True, slots=True)
class RoleFolder:
    """A folder of images, clouds or masks. prefix: its place in the product, such as "test/hole/gt/"."""

    path: Path
    role: Role
    prefix: str


@dataclass(frozen=True, slots=True)
class FoundPart:
    """The files of one part, by role. name: without the folder's place."""

    name: str
    files: Mapping[Role, Path]


@dataclass(frozen=True, slots=True)
class _File:
    """stem, base: the name without and with the role's word removed; equal if there is no such word."""

    path: Path
    role: Role
    prefix: str
    stem: str
    base: str


def parts_in(folder: Path, prefix: str, masks: Sequence[RoleFolder], notes: list[str]) -> Iterator[FoundPart]:
    """The parts of a folder, in natural order of their names.

    Args:
        folder: rgb/ and xyz/ (or other names of `ROLE_NAMES`) are in it, or the parts' files themselves.
        prefix: the folder's place in the product, such as "test/hole/".
        masks: further folders of masks. A mask in the folder itself is used first.
        notes: gets one sentence for each kind of file or folder that is left out.
    """
    listing = list_folder(folder, prefix)
    notes += listing.notes
    of_role = _role_folders(listing, prefix, notes)
    files: list[_File] = []
    unknown: set[Role] = set()
    clouds: tuple[Role, ...] = next((roles for roles in CLOUD_ROLES if roles[0] in of_role), ())
    if "rgb" in of_role or clouds:
        for role in ("rgb", *clouds):
            if role in of_role:
                found, all_read = _in_role_folder(of_role[role], notes)
                files += found
                unknown |= set() if all_read else {role}
        for place in of_role.values():
            if place.role not in ("rgb", "mask", *clouds):
                notes.append(left_out([place.path], prefix, _unused(clouds)))
        if beside := [file for file in listing.files if may_be_part(file)]:
            notes.append(left_out(beside, prefix, "this is outside the folders of images and clouds"))
    else:
        files += _side_by_side(listing.files, prefix)
        notes += unread(listing.files, (*PART_SUFFIXES, *NOTE_SUFFIXES), prefix)
    for place in (*([of_role["mask"]] if "mask" in of_role else []), *masks):
        files += _in_role_folder(place, notes)[0]
    yield from _complete(_grouped(files), prefix, unknown, notes)


def has_role_folders(listing: Listing) -> bool:
    """Whether the folder has a folder of images or of clouds."""
    return any(role_of_folder(folder.name) not in (None, "mask") for folder in listing.folders.values())


def _role_folders(listing: Listing, prefix: str, notes: list[str]) -> dict[Role, RoleFolder]:
    """The folder used for each role. Other folders get a sentence if they hold parts."""
    of_role: dict[Role, list[Path]] = defaultdict(list)
    for folder in listing.folders.values():
        if role := role_of_folder(folder.name):
            of_role[role].append(folder)
        elif holds_parts(folder):
            notes.append(left_out([folder], prefix, "a folder inside a folder of parts is not read"))
    used: dict[Role, RoleFolder] = {}
    for of, folders in of_role.items():
        order = ROLE_NAMES[of].index
        first, *rest = sorted(folders, key=lambda folder: order(word_key(folder.name)))
        used[of] = RoleFolder(first, of, f"{prefix}{printable(first.name)}/")
        for folder in rest:
            notes.append(left_out([folder], prefix, f"the folder {printable(first.name)} is used instead"))
    return used


def _in_role_folder(folder: RoleFolder, notes: list[str]) -> tuple[list[_File], bool]:
    """The files of a folder of images, clouds or masks, and whether all its files are of known kinds."""
    listing = list_folder(folder.path, folder.prefix)
    suffixes = ROLE_SUFFIXES[folder.role]
    inside = [path for path in listing.folders.values() if holds_parts(path)]
    if inside:
        notes.append(left_out(inside, folder.prefix, "a folder inside this folder is not read"))
    if folder.role != "mask" and not listing.files and not listing.folders:
        notes.append(f"{folder.prefix.rstrip('/')}: this folder is empty.")
    of_other_kinds = [*unread(listing.files, suffixes, folder.prefix)]
    notes += [*listing.notes, *of_other_kinds]
    files = [
        _File(path, folder.role, folder.prefix, stem_of(path.name), _base(path, folder.role))
        for path in listing.files
        if path.suffix.lower() in suffixes
    ]
    return files, not of_other_kinds


def _base(path: Path, role: Role) -> str:
    """The stem without the role's word, in a folder of that role."""
    stem = stem_of(path.name)
    named = role_in_name(stem)
    return named[0] if named and named[1] == role else stem


def _side_by_side(paths: Iterable[Path], prefix: str) -> Iterator[_File]:
    """The files of parts that lie side by side. A word in a name counts if no other file has the stem."""
    paths = [path for path in paths if may_be_part(path)]
    stems = Counter(pair_key(stem_of(path.name)) for path in paths)
    words = (role_in_name(stem_of(path.name)) for path in paths)
    planes = {pair_key(word[0]) for word in words if word is not None and word[1] == "z"}
    for path in paths:
        stem, suffix = stem_of(path.name), path.suffix.lower()
        named = role_in_name(stem) if stems[pair_key(stem)] == 1 else None
        if named and named[1] in ("x", "y") and pair_key(named[0]) not in planes:
            named = None  # a name that ends in a letter, not a plane of a cloud
        if named and suffix in ROLE_SUFFIXES[named[1]]:
            yield _File(path, named[1], prefix, stem, named[0])
        else:
            yield _File(path, "rgb" if suffix in IMAGE_SUFFIXES else "xyz", prefix, stem, stem)


def _grouped(files: Sequence[_File]) -> list[list[_File]]:
    """The files of each part together, with the part's name as `base`."""
    roles: dict[str, set[Role]] = defaultdict(set)
    for file in files:
        roles[pair_key(file.stem)].add(file.role)
    files = [replace(file, base=file.stem) if len(roles[pair_key(file.stem)]) > 1 else file for file in files]
    same_base = Counter(pair_key(file.base) for file in files)
    files = [replace(file, base=file.stem) if same_base[pair_key(file.base)] == 1 else file for file in files]
    stems: dict[tuple[str, Role, str], set[str]] = defaultdict(set)
    for file in files:
        stems[pair_key(file.base), file.role, file.prefix].add(file.stem)
    unclear = {key for (key, *_), of_role in stems.items() if len(of_role) > 1}
    groups: dict[tuple[str, str], list[_File]] = defaultdict(list)
    for file in files:
        key = pair_key(file.base)
        groups[key, file.stem if key in unclear else ""].append(
            replace(file, base=file.stem) if key in unclear else file
        )
    return list(groups.values())


def _complete(
    groups: Iterable[Sequence[_File]], prefix: str, unknown: set[Role], notes: list[str]
) -> Iterator[FoundPart]:
    """The parts that have all files. unknown: roles whose folder holds files that no reader takes."""
    groups = list(groups)
    lone: dict[str, list[Path]] = defaultdict(list)
    for file in (group[0] for group in groups if all(file.role == "mask" for file in group)):
        lone[file.prefix].append(file.path)
    notes += [left_out(masks, place, "no part has the name of this mask") for place, masks in lone.items()]
    parts = sorted((_part(group, notes) for group in groups), key=lambda part: natural(part.name))
    # Parts without images, or without clouds, are intended, unless the folder holds files of unknown kinds.
    present = unknown.union(*(part.files for part in parts))
    unused: dict[str, list[Path]] = defaultdict(list)
    for part in parts:
        roles = part.files.keys() - {"mask"}
        clouds = next((clouds for clouds in CLOUD_ROLES if roles.issuperset(clouds)), ())
        if clouds == ("z",) and present & {"x", "y"}:
            clouds = ()
        whole = clouds == ("xyz",) and part.files["xyz"].suffix.lower() == PART_SUFFIX
        if not roles:
            continue
        if "rgb" in present - roles and not whole:
            notes.append(f"{prefix}{part.name}: the image is missing.")
        elif not clouds and present - {"rgb", "mask"}:
            lacking = "plane x, y or z" if roles & {"x", "y", "z"} else "cloud"
            notes.append(f"{prefix}{part.name}: the {lacking} is missing.")
        else:
            for role in sorted(roles - {"rgb", *clouds}):
                unused[_unused(clouds)].append(part.files[role])
            used = {"rgb", "mask", *clouds}
            yield replace(part, files={role: file for role, file in part.files.items() if role in used})
    notes += [left_out(files, prefix, reason) for reason, files in unused.items()]


def _unused(clouds: Sequence[Role]) -> str:
    """Why a cloud is left out."""
    return (
        f"{' and '.join(clouds)} of the same parts are used instead" if clouds else "there is no z beside it"
    )


def _part(group: Sequence[_File], notes: list[str]) -> FoundPart:
    """One part. If there are two files for a role, the first in the order of the role's endings is used."""
    used: dict[Role, _File] = {}
    for role, suffixes in ROLE_SUFFIXES.items():
        of_role = [file for file in group if file.role == role]
        for file in sorted(of_role, key=lambda file: suffixes.index(file.path.suffix.lower())):
            first = used.setdefault(role, file)
            if first is not file:
                notes.append(_replaced(file, first))
    cloud = used.get("xyz")
    if cloud is not None and cloud.path.suffix.lower() == PART_SUFFIX and "rgb" in used:
        notes.append(_replaced(used.pop("rgb"), cloud))
    return FoundPart(next(iter(used.values())).base, {role: file.path for role, file in used.items()})


def _replaced(file: _File, used: _File) -> str:
    return left_out([file.path], file.prefix, f"{printable(used.path.name)} is used instead")
