"""The images of a case, all on the square grid and of one size, and the contact sheet of many cases."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from banks.decision.colour_scale import Scale, color_table
from evaluation.product_evaluation import FINAL, ScoredPart
from evaluation.report.cases import Case
from models.appearance import depth_image

SIDE = 224
"""Side of every image, pixels."""
_MARGIN, _LINE = 6, 16
_PAPER, _INK = (255, 255, 255), (20, 20, 20)


def map_scales(parts: Sequence[ScoredPart], columns: Sequence[str], final: Scale) -> dict[str, Scale]:
    """One colour scale per column for the whole report.

    The scale of the decision is the calibrated scale, which the server uses too. The scale of a bank runs
    from the median pixel of all parts to the highest pixel of any part.
    """
    scales = {FINAL: final}
    for name in columns:
        if name != FINAL:
            low = float(np.median([np.median(scored.map(name)) for scored in parts]))
            high = max(float(scored.map(name).max()) for scored in parts)
            scales[name] = Scale(low, high, high)
    return scales


def case_pictures(case: Case, scales: Mapping[str, Scale]) -> dict[str, Image.Image]:
    """RGB, depth, ground truth, and every map of `scales`, by title."""
    prepared = case.scored.result.prepared
    images = {
        "RGB": Image.fromarray(prepared.rgb),
        "depth": Image.fromarray(depth_image(prepared)),
        "ground truth": _truth(case.scored),
    }
    for name, scale in scales.items():
        title = "final" if name == FINAL else f"{name} bank"
        images[title] = _coloured(case.scored.map(name), scale)
    return {title: image.resize((SIDE, SIDE)) for title, image in images.items()}


def contact_sheet(rows: Sequence[tuple[str, Mapping[str, Image.Image]]], heading: str) -> Image.Image:
    """Rows of images with a line of text above each row, and the titles above the first row."""
    columns = max(len(pictures) for _, pictures in rows)
    step = SIDE + _LINE + _MARGIN
    size = (_MARGIN + columns * (SIDE + _MARGIN), 2 * _LINE + _MARGIN + len(rows) * step)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, 2), heading, _INK)
    for number, (label, pictures) in enumerate(rows):
        top = 2 * _LINE + number * step
        pen.text((_MARGIN, top), label, _INK)
        for column, (title, picture) in enumerate(pictures.items()):
            left = _MARGIN + column * (SIDE + _MARGIN)
            sheet.paste(picture.convert("RGB"), (left, top + _LINE))
            if number == 0:
                pen.text((left, _LINE - 2), title, _INK)
    return sheet


def colour_bar() -> Image.Image:
    """The colours from the low end to the high end of a scale, 256 x 12 pixels."""
    return Image.fromarray(np.repeat(color_table()[None], 12, axis=0))


def png(picture: Image.Image) -> bytes:
    """The image as a PNG with at most 256 colours, which keeps the page small."""
    file = io.BytesIO()
    palette = picture.quantize(256, dither=Image.Dither.NONE) if picture.mode == "RGB" else picture
    palette.save(file, "PNG", optimize=True)
    return file.getvalue()


def _truth(scored: ScoredPart) -> Image.Image:
    """The mask in white. A grey image if a defective part has no mask."""
    if scored.mask is None:
        return Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    return Image.fromarray(np.where(scored.mask, 255, 0).astype(np.uint8)).convert("RGB")


def _coloured(scores: NDArray[np.float32], scale: Scale) -> Image.Image:
    return Image.fromarray(color_table()[np.rint(255 * scale.position(scores)).astype(np.uint8)])
