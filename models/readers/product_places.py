"""Where products are in a tree of folders, and what lies outside of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.readers.file_names import printable
from models.readers.folder_layout import (
    EXPECTED,
    NOTE_SUFFIXES,
    is_good,
    role_of_folder,
    split_of_folder,
    word_file,
)
from models.readers.folder_listing import Listing, holds_parts, left_out, list_folder, may_be_part, unread

_DEEPEST = 5
"""How many folders below the named folder a product is looked for."""


class NotAProductFolder(ValueError):
    """The folder has no parts in a known layout. The message says which layouts are known."""


class SeveralProducts(NotAProductFolder):
    """The folder holds several products, but one is needed. names: the products' folders."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.names = tuple(names)
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        super().__init__(
            f"{printable(path)} holds {len(names)} products: {shown}. Name the folder of one product."
        )


@dataclass(frozen=True, slots=True)
class ProductPlaces:
    """Where products are below a folder.

    Attributes:
        roots: the products' folders by their place below the folder, such as "line 3/valve"; "" is the folder
            itself. Empty if there is no product.
        left_out: one sentence for each kind of file or folder with parts, or with words about parts, that is
            outside of the products.
    """

    roots: Mapping[str, Path]
    left_out: tuple[str, ...]


def no_parts(path: Path, left_out: Sequence[str]) -> NotAProductFolder:
    """The error for a folder without parts, with the first reasons."""
    reasons = f" Left out: {' '.join(left_out[:3])}" if left_out else ""
    return NotAProductFolder(f"{printable(path)} has no parts. {EXPECTED}{reasons}")


def find_products(path: Path) -> ProductPlaces:
    """Find the products in a folder: the folder itself, or folders below it.

    A folder is a product if train/, test/, good/ or a folder of images or clouds is in it. If there is no
    such folder, a folder with files of images and clouds is a product. Raises NotAProductFolder if `path` is
    not a folder.
    """
    if not path.is_dir():
        raise NotAProductFolder(f"{printable(path)} is not a folder. {EXPECTED}")
    roots = dict(_laid_out(path, "", frozenset())) or dict(_with_files(path, "", frozenset()))
    if not roots:
        return ProductPlaces({}, tuple(unread(list_folder(path, "").files, NOTE_SUFFIXES, "")))
    return ProductPlaces(roots, tuple(_outside(path, "", tuple(roots))))


def _laid_out(folder: Path, place: str, above: frozenset[str]) -> Iterator[tuple[str, Path]]:
    """The folders with a layout at or below `folder`. above: the real paths of the folders above."""
    listing = list_folder(folder, "")
    if _has_layout([inside.name for inside in listing.folders.values()]):
        yield place, folder
        return
    for step, inside, seen in _below(folder, listing, place, above):
        yield from _laid_out(inside, step, seen)


def _with_files(folder: Path, place: str, above: frozenset[str]) -> Iterator[tuple[str, Path]]:
    """The folders at or below `folder` in which parts lie side by side."""
    listing = list_folder(folder, "")
    if any(may_be_part(file) for file in listing.files):
        yield place, folder
        return
    for step, inside, seen in _below(folder, listing, place, above):
        yield from _with_files(inside, step, seen)


def _below(
    folder: Path, listing: Listing, place: str, above: frozenset[str]
) -> Iterator[tuple[str, Path, frozenset[str]]]:
    """The folders inside, with their places. A link to a folder above is not followed."""
    seen = above | {os.path.realpath(folder)} if isinstance(folder, Path) else above
    if place.count("/") + bool(place) >= _DEEPEST:
        return
    for inside in listing.folders.values():
        if not (isinstance(inside, Path) and os.path.realpath(inside) in seen):
            yield _join(place, inside), inside, seen


def _outside(folder: Path, place: str, roots: Sequence[str]) -> Iterator[str]:
    """Sentences about parts' files that are in no product. The folders above a product are looked at."""
    if place in roots or not roots:
        return
    prefix = f"{place}/" if place else ""
    listing = list_folder(folder, prefix)
    yield from listing.notes
    reason = f"this is outside the folder {roots[0]}" if len(roots) == 1 else "this is in no product's folder"
    if files := [file for file in listing.files if may_be_part(file)]:
        yield left_out(files, prefix, reason)
    words = [file for file in listing.files if word_file(file.name)]
    for file in (*words, *(() if prefix else listing.regions)):
        yield left_out([file], prefix, reason)
    for inside in listing.folders.values():
        step = _join(place, inside)
        if any(root == step or root.startswith(f"{step}/") for root in roots):
            yield from _outside(inside, step, roots)
        elif holds_parts(inside):
            yield left_out([inside], prefix, reason)


def _join(place: str, folder: Path) -> str:
    return f"{place}/{printable(folder.name)}" if place else printable(folder.name)


def _has_layout(names: Sequence[str]) -> bool:
    """Whether folders of these names are in a product's folder only. x/, y/ and z/ are, if all are there."""
    roles = {role_of_folder(name) for name in names}
    if roles & {"rgb", "xyz", "depth"} or roles >= {"x", "y", "z"}:
        return True
    return any(split_of_folder(name) or is_good(name) for name in names)
