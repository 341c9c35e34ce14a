"""The odd good parts of a version, with pictures, as a report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from banks.decision.odd_parts import OddPart
from banks.detector import Detector
from evaluation.report.pictures import SIDE
from models.appearance import depth_image
from models.preparation.prepare import prepare
from models.readers.product_folder import PartFile
from models.sample import BadSample

MOST_PICTURES = 12
"""Odd parts with pictures; the names of the others are enough."""


@dataclass(frozen=True, slots=True)
class ShownPart:
    """An odd part. pictures: RGB and depth of the prepared part by title; empty where there are none."""

    part: OddPart
    pictures: Mapping[str, Image.Image] = field(default_factory=dict)


def shown_parts(detector: Detector, files: Sequence[PartFile]) -> list[ShownPart]:
    """The odd parts of a detector's version, the highest score first.

    files: of the good parts that the version was built from.
    """
    manifest = detector.manifest
    by_name = {file.name: file for file in files}
    shown: list[ShownPart] = []
    for number, part in enumerate(detector.calibration.odd):
        file = by_name.get(part.name) if number < MOST_PICTURES else None
        try:
            prepared = file and prepare(file.read(manifest.sensor), manifest.profile.preparation)
        except BadSample:  # its file was changed after the build
            prepared = None
        images = {} if prepared is None else {"RGB": prepared.rgb, "depth": depth_image(prepared)}
        pictures = {title: Image.fromarray(image).resize((SIDE, SIDE)) for title, image in images.items()}
        shown.append(ShownPart(part, pictures))
    return shown
