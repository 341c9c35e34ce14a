"""The pictures of one case, all on the square grid and of one size, and the contact sheet of many."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from banks.decision.colour_scale import Scale, color_table
from evaluation.product_evaluation import FINAL, ScoredPart
from evaluation.report.cases import Case
from models.preparation.prepare import PreparedPart

SIDE = 224
"""Pixels along an edge of every picture."""
_MARGIN, _LINE = 6, 16
_PAPER, _INK = (255, 255, 255), (20, 20, 20)


def map_scales(parts: Sequence[ScoredPart], columns: Sequence[str], final: Scale) -> dict[str, Scale]:
    """One colour scale a column for the whole report.

    The decision's is the calibrated one, which the service uses too. A bank's own runs from the median pixel
    of all parts to the highest pixel of any.
    """
    scales = {FINAL: final}
    for name in columns:
        if name != FINAL:
            low = float(np.median([np.median(one.map(name)) for one in parts]))
            high = max(float(one.map(name).max()) for one in parts)
            scales[name] = Scale(low, high, high)
    return scales


def case_pictures(case: Case, scales: Mapping[str, Scale]) -> dict[str, Image.Image]:
    """RGB, depth, ground truth, and every map of `scales`, by title."""
    prepared = case.scored.result.prepared
    found = {"RGB": _rgb(prepared), "depth": _depth(prepared), "ground truth": _truth(case.scored)}
    for name, scale in scales.items():
        title = "final" if name == FINAL else f"{name} bank"
        found[title] = _coloured(case.scored.map(name), scale)
    return {title: picture.resize((SIDE, SIDE)) for title, picture in found.items()}


def contact_sheet(rows: Sequence[tuple[str, Mapping[str, Image.Image]]], heading: str) -> Image.Image:
    """Rows of pictures with a line of text above each, and the titles above the first."""
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
    """The colours from the low end of a scale to its high end, (256, 12)."""
    return Image.fromarray(np.repeat(color_table()[None], 12, axis=0))


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG of at most 256 colours, which these need no more of."""
    file = io.BytesIO()
    few = picture.quantize(256, dither=Image.Dither.NONE) if picture.mode == "RGB" else picture
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


def _rgb(prepared: PreparedPart) -> Image.Image:
    return Image.fromarray(prepared.rgb)


def _depth(prepared: PreparedPart) -> Image.Image:
    """Grey, near is light; black where there is no point. From the part's own 1st to 99th percentile."""
    grey = np.zeros(prepared.valid.shape, np.uint8)
    if prepared.valid.any():
        depth = prepared.xyz[..., 2][prepared.valid]
        near, far = np.percentile(depth, (1, 99))
        grey[prepared.valid] = 240 - 200 * np.clip((depth - near) / max(far - near, 1e-9), 0, 1)
    return Image.fromarray(grey).convert("RGB")


def _truth(scored: ScoredPart) -> Image.Image:
    """The mask in white; grey where a defective part has none."""
    if scored.mask is None:
        return Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    return Image.fromarray(np.where(scored.mask, 255, 0).astype(np.uint8)).convert("RGB")


def _coloured(scores: NDArray[np.float32], scale: Scale) -> Image.Image:
    return Image.fromarray(color_table()[np.rint(255 * scale.position(scores)).astype(np.uint8)])
