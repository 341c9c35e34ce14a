"""The good parts of one split: their features while banks are built, and as a version keeps them.

    <folder>/<bank>.f32             patch rows, part after part (see `FeatureStore`)
    <folder>/parts.safetensors      where the patches lie, valid pixels, names, pictures

A version that keeps its parts can be extended: a build with more good parts does not extract the old parts
again. The result is bit for bit the same as a build of all parts at once with the same lengths.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from banks.feature_store import FeatureStore
from models.appearance import appearance
from models.atomic_file import replacing
from models.contents import Contents
from models.features import PartFeatures
from models.preparation.prepare import PreparedPart
from models.readers.pixels import is_nearly_black
from models.sample import Sample

_INDEX = "parts.safetensors"
_VALID, _PICTURES, _ENDS = "valid", "pictures", "picture_ends"
_JPEG_QUALITY = 90


@dataclass
class GoodParts:
    """The usable parts of one split, in order.

    store: their features.
    names: unique names.
    valid: (size, size) bool of each part.
    pictures: JPEG of each part as it was prepared.
    skipped: the other parts, and why each could not be used.
    first: name and prepared part of the first part that was added, not copied.
    contents: digests of each part's image and cloud; empty for parts that older sources kept.
    copies: parts with the same image and cloud as an earlier part, and what that part is called.
    dark: parts whose image is nearly black.
    without_plane: added parts whose support plane was sought and not found.
    areas, pieces: surface, square metres, and number of pieces of each part; None for parts that older
        sources kept.
    far: of added parts, the z that many points share far from all others.
    sideways: added parts whose z grows from column to column, as x should.
    `skipped`, `first`, `copies`, `without_plane`, `far` and `sideways` are not saved.
    """

    store: FeatureStore
    names: list[str] = field(default_factory=list)
    valid: list[NDArray[np.bool_]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    first: tuple[str, PreparedPart] | None = None
    contents: list[Contents] = field(default_factory=list)
    copies: dict[str, str] = field(default_factory=dict)
    dark: list[str] = field(default_factory=list)
    without_plane: list[str] = field(default_factory=list)
    areas: list[float | None] = field(default_factory=list)
    pieces: list[int | None] = field(default_factory=list)
    far: dict[str, str] = field(default_factory=dict)
    sideways: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def left_out(self) -> dict[str, str]:
        """The parts that are not used, and why."""
        reason = "The image and the cloud are those of {}."
        return self.skipped | {copy: reason.format(first) for copy, first in self.copies.items()}

    def shown(self, without: Collection[str]) -> tuple[list[float], list[int | None]]:
        """Areas and numbers of pieces where they are known, except of parts with these names."""
        every = zip(self.names, self.areas, self.pieces, strict=True)
        known = [(area, pieces) for name, area, pieces in every if area is not None and name not in without]
        return [area for area, _ in known], [pieces for _, pieces in known]

    def add(
        self, name: str, sample: Sample, contents: Contents, features: PartFeatures, prepared: PreparedPart
    ) -> None:
        """Add one part. A number is appended to a name that is taken."""
        self.store.append(features)
        self.names.append(_free_name(name, self.names))
        self.valid.append(prepared.valid)
        self.areas.append(prepared.area)
        self.pieces.append(prepared.pieces)
        self.contents.append(contents)
        if sample.missing != "rgb" and is_nearly_black(sample.rgb):
            self.dark.append(self.names[-1])
        self.first = self.first or (self.names[-1], prepared)
        if prepared.plane_found is False:
            self.without_plane.append(self.names[-1])
        picture = io.BytesIO()
        Image.fromarray(appearance(prepared)).save(picture, "JPEG", quality=_JPEG_QUALITY)
        self.pictures.append(picture.getvalue())

    def save(self) -> None:
        """Write everything that the files of rows do not hold, beside these files."""
        bits = [np.packbits(mask) for mask in self.valid]
        tensors = {
            **self.store.layout_arrays(),
            _VALID: np.stack(bits) if bits else np.zeros((0, 0), np.uint8),
            _PICTURES: np.frombuffer(b"".join(self.pictures), np.uint8),
            _ENDS: np.cumsum([len(picture) for picture in self.pictures], dtype=np.int64),
        }
        size = len(self.valid[0]) if self.valid else 0
        facts = {
            "names": self.names,
            "size": size,
            "contents": self.contents,
            "dark": self.dark,
            "areas": self.areas,
            "pieces": self.pieces,
        }
        with replacing(self.store.folder / _INDEX) as file:
            save_file(tensors, file, metadata={"parts": json.dumps(facts)})

    @classmethod
    def copied(cls, source: Path, folder: Path, without: Collection[str] = ()) -> GoodParts:
        """A copy, in `folder`, of the parts that were saved in `source`, which can be added to.

        without: names of parts that are left out. Raises OSError.
        """
        with safe_open(source / _INDEX, framework="numpy") as index:
            facts = json.loads(index.metadata()["parts"])
            tensors = {name: index.get_tensor(name) for name in index.keys()}  # noqa: SIM118 - no mapping
        size = facts["size"]
        bits = tensors.pop(_VALID)
        masks = [np.unpackbits(row, count=size * size).reshape(size, size).astype(bool) for row in bits]
        whole, ends = tensors.pop(_PICTURES).tobytes(), tensors.pop(_ENDS).tolist()
        pictures = [whole[start:end] for start, end in pairwise([0, *ends])]
        names, unknown = facts["names"], [None] * len(masks)
        contents = [Contents(*known) for known in facts.get("contents", [()] * len(masks))]
        areas, pieces = facts.get("areas", unknown), facts.get("pieces", unknown)
        kept = [number for number, name in enumerate(names) if name not in without]
        old, store = FeatureStore.opened(source, tensors), FeatureStore(folder)
        for number in kept:
            store.append(old.features(number))
        return cls(
            store,
            [names[number] for number in kept],
            [masks[number] for number in kept],
            [pictures[number] for number in kept],
            contents=[contents[number] for number in kept],
            dark=[name for name in facts.get("dark", []) if name not in without],
            areas=[areas[number] for number in kept],
            pieces=[pieces[number] for number in kept],
        )


def contents_in(folder: Path) -> dict[Contents, str]:
    """The names of the parts that were saved in `folder`, by their contents; without parts whose contents are
    not known. Raises OSError."""
    with safe_open(folder / _INDEX, framework="numpy") as index:
        facts = json.loads(index.metadata()["parts"])
    names = zip(facts.get("contents", ()), facts["names"], strict=False)  # older sources kept no contents
    return {Contents(*contents): name for contents, name in names if any(contents)}


def picture_of(folder: Path, name: str) -> bytes | None:
    """The JPEG picture of a part that was saved in `folder`. None without such a part. Raises OSError."""
    with safe_open(folder / _INDEX, framework="numpy") as index:
        names = json.loads(index.metadata()["parts"])["names"]
        if name not in names:
            return None
        number, ends = names.index(name), index.get_tensor(_ENDS)
        start = int(ends[number - 1]) if number else 0
        return index.get_slice(_PICTURES)[start : int(ends[number])].tobytes()


def _free_name(name: str, taken: list[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}~{number}", number + 1
    return free
