"""What people look at: the overlay PNG and the coloured cloud, both at the source's size.

Colours come from the bank version's fixed scale, never from the part's own maximum: the same score has the
same colour on every part, and a good part stays uncoloured.
"""

from __future__ import annotations

import io

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from banks.decision.colour_scale import Scale, color_table
from models.appearance import appearance
from models.preparation.prepare import PreparedPart
from models.sample import Sample

OPACITY = 0.75
"""Share of the colour at the top of the scale; at its bottom it is 0 and the part shows."""
OUTLINE = np.array([255, 255, 255], np.uint8)


def overlay(sample: Sample, scores: NDArray[np.float32], scale: Scale) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the part with its score map over it, regions outlined. scores: (H, W)."""
    position = scale.position(scores)
    colors = color_table()[np.rint(position * 255).astype(np.uint8)]
    weight = (OPACITY * position)[..., None]
    picture = np.rint(appearance(sample) * (1 - weight) + colors * weight).astype(np.uint8)
    picture[_outline(scores >= scale.outline)] = OUTLINE
    return picture


def overlay_png(sample: Sample, scores: NDArray[np.float32], scale: Scale) -> bytes:
    """The overlay as PNG; the ends of the scale travel in its text chunks."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Tribank-Scale-Low", repr(float(scale.low)))
    text.add_text("Tribank-Scale-High", repr(float(scale.high)))
    file = io.BytesIO()
    Image.fromarray(overlay(sample, scores, scale)).save(file, "PNG", compress_level=1, pnginfo=text)
    return file.getvalue()


def thumbnail_jpeg(part: PreparedPart, scores: NDArray[np.float32], scale: Scale) -> bytes:
    """The prepared part with its score map over it, small, for lists. scores: (size, size)."""
    height, width = scores.shape
    rgb = np.asarray(Image.fromarray(part.rgb).resize((width, height), Image.Resampling.BOX))
    picture = overlay(Sample(rgb, part.xyz, part.valid), scores, scale)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=80)
    return file.getvalue()


def cloud_ply(sample: Sample, scores: NDArray[np.float32], scale: Scale) -> bytes:
    """Binary PLY of the valid points: metres, overlay colours, and the score as a property."""
    picture = overlay(sample, scores, scale)
    fields = [(name, "<f4") for name in "xyz"]
    fields += [(name, "u1") for name in ("red", "green", "blue")]
    fields += [("score", "<f4")]
    points = np.empty(int(sample.valid.sum()), fields)
    for i, axis in enumerate("xyz"):
        points[axis] = sample.xyz[..., i][sample.valid]
    for i, channel in enumerate(("red", "green", "blue")):
        points[channel] = picture[..., i][sample.valid]
    points["score"] = scores[sample.valid]
    kinds = {"<f4": "float", "u1": "uchar"}
    properties = "".join(f"property {kinds[kind]} {name}\n" for name, kind in fields)
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n{properties}end_header\n"
    return head.encode("ascii") + points.tobytes()


def grey_levels(scale: Scale) -> tuple[float, float]:
    """(step, offset) of the 16-bit picture: score = grey * step + offset, the same for every part.

    The picture spans sixteen times the colour scale, two of them below it; what lies outside is cut.
    """
    span = max(scale.high - scale.low, float(np.finfo(np.float32).tiny))
    return 16 * span / 65535, scale.low - 2 * span


def grey_png(scores: NDArray[np.float32], scale: Scale) -> bytes:
    """The score map as a 16-bit grey PNG, by `grey_levels`."""
    step, offset = grey_levels(scale)
    grey = np.clip(np.rint((scores.astype(np.float64) - offset) / step), 0, 65535).astype(np.uint16)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG", compress_level=1)
    return file.getvalue()


def map_tiff(scores: NDArray[np.float32]) -> bytes:
    """The raw score map as TIFF, (H, W) float32, uncompressed."""
    file = io.BytesIO()
    tifffile.imwrite(file, scores.astype(np.float32, copy=False), photometric="minisblack")
    return file.getvalue()


def map_npy(scores: NDArray[np.float32]) -> bytes:
    """The raw score map as NPY, (H, W) float32."""
    file = io.BytesIO()
    np.save(file, scores.astype(np.float32, copy=False), allow_pickle=False)
    return file.getvalue()


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask that touch a pixel outside it."""
    padded = np.pad(mask, 1, mode="edge")
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner
