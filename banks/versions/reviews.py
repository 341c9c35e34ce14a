"""What a person said of the odd parts of a version. It lies beside the versions, as moved thresholds do.

<root>/<product>/odd_parts.json     {"v3": {"train/good/123": "good"}, "checksum": "5a..."}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from banks.decision.calibration import Calibration
from banks.versions.leftovers import exclusive
from banks.versions.manifest import Manifest
from banks.versions.said_files import SaidFile
from banks.versions.store import BadBank, BankStore

REVIEWS = "odd_parts.json"
Review = Literal["good", "dropped"]
"""good: the part counts again. dropped: the part is no good part, and will never count."""
Reviews = Mapping[str, Review]
"""Reviews of a version's odd parts, by name."""
FILE = SaidFile(REVIEWS, TypeAdapter(dict[str, Review]), again="review the odd parts again")


class UnknownPart(ValueError):
    """The version has no odd part with this name. The message names its odd parts."""


class PartReview(BaseModel):
    """What a person says of one odd part. None takes back what was said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str = Field(max_length=1000, description="Name of an odd part.", examples=["train/good/123"])
    review: Review | None = Field(
        description="good: the part counts again, and sets the threshold with the others. dropped: it is no "
        "good part. null: nothing is said.",
        examples=["good"],
    )


def review(store: BankStore, product: str, version: str, said: Collection[PartReview]) -> None:
    """Record reviews. Raises BankNotFound, UnknownPart, or BadBank where a file is damaged."""
    path = store.path(product, version)
    known = {part.name for part in _built(path).odd}
    for one in said:
        if one.part not in known:
            has = f"Its odd parts are {', '.join(sorted(known))}." if known else "It has none."
            raise UnknownPart(f"{one.part} is no odd part of version {version}. {has}")
    with exclusive(path.parent):
        every = all_reviews(path.parent)
        mine = every.pop(version, {})
        for one in said:
            mine.pop(one.part, None)
            if one.review is not None:
                mine[one.part] = one.review
        if mine:
            every[version] = mine
        FILE.write(path.parent, every)


def reviews_of(version: Path) -> Reviews:
    """What a person said of the odd parts of a version directory. Raises BadBank."""
    return all_reviews(version.parent).get(version.name, {})


def all_said(version: Path, manifest: Manifest) -> tuple[set[str], set[str]]:
    """The good parts that a person called good, in a version directory or in a version that it extends, and
    the parts that a person dropped, by name. Raises BadBank."""
    said = reviews_of(version)
    dropped = {name for name, word in said.items() if word == "dropped"}
    return {*manifest.called_good, *said} - dropped, dropped


def reviewed(version: Path, built: Calibration) -> Calibration:
    """The calibration of a version directory, with the odd parts counted that a person called good.

    built: the calibration in the manifest. Raises BadBank where the file of reviews is damaged.
    """
    good = {name for name, said in reviews_of(version).items() if said == "good"}
    return built.counting(good) if good else built


def _built(path: Path) -> Calibration:
    try:
        return Manifest.read(path).calibration
    except (OSError, ValueError) as error:
        raise BadBank(f"The manifest of version {path.name} cannot be read.") from error


def all_reviews(folder: Path) -> dict[str, dict[str, Review]]:
    """The reviews in a product's folder, by version. Raises BadBank."""
    return FILE.read(folder)
