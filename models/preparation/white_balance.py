"""White balance: what a camera's gains for red, green and blue drift by is taken back.

A camera's gains drift with its temperature, and with the age of the lamp. Banks that see plain colour take
that for a defect of the whole part. So each image is moved towards the colour of the good parts, as far as
good parts differ and a camera may drift, and no further. A defect covers a small share of a part, and so
hardly moves its colour as a whole. A part that is of another colour everywhere stays another, by all that
lies beyond.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recipes.preparation import Balance, Colours

_DARK, _BRIGHT = 16, 250
"""Grey levels between which a pixel tells its colour: below, noise and rounding are a large share of it;
above, it may be saturated."""
_FEWEST = 100
"""Pixels without which an image has no balance."""
_REACH = 3.0
"""How far good parts lie from their median, in median distances. A larger one would be of odd parts."""
_STEP = 2  # every second pixel of every second row tells as much as all of them


def colours_of(rgb: NDArray[np.uint8]) -> Colours | None:
    """The colour of a prepared image as a whole: the logarithms of red over green and of blue over green.

    rgb: (S, S, 3) uint8, background 0. Each is the mean of the middle half of the pixels' values, which
    neither a defect nor a highlight moves much. None where too few pixels tell their colour.
    """
    planes = np.ascontiguousarray(np.moveaxis(rgb[::_STEP, ::_STEP], 2, 0)).reshape(3, -1)
    least, most = np.minimum.reduce(planes), np.maximum.reduce(planes)
    planes = planes[:, (least >= _DARK) & (most <= _BRIGHT)]
    if planes.shape[1] < _FEWEST:
        return None
    red, green, blue = np.log(np.arange(256, dtype=np.float32).clip(1))[planes]
    return _middle(red - green), _middle(blue - green)


def usual_balance(images: Iterable[NDArray[np.uint8]]) -> Balance | None:
    """The balance of good parts' prepared images; None where no image tells its colour."""
    known = [colours for image in images if (colours := colours_of(image)) is not None]
    if not known:
        return None
    red, blue = (median(values) for values in zip(*known, strict=True))
    reach = _REACH * median(_change(_gains((red, blue), colours)) for colours in known)
    return round(red, 4), round(blue, 4), round(reach, 4)


def balanced(rgb: NDArray[np.uint8], usual: Balance, drift: float) -> NDArray[np.uint8]:
    """A prepared image with the balance of good parts, as far as a camera may drift.

    rgb: (S, S, 3) uint8. usual: of good parts. drift: the largest drift of a gain, as a share: gains of
    1 - drift to 1 + drift are taken back, beside what good parts differ by. The image as it is where it tells
    no colour. The background stays 0, and a grey image stays bit for bit as it is where good parts are grey.
    """
    own = colours_of(rgb)
    if own is None:
        return rgb
    gains = _gains(usual[:2], own)
    change, most = _change(gains), usual[2] - math.log1p(-drift)
    if change > most:
        gains *= most / change
    gains -= gains.mean()  # lightness is no matter of white balance
    tables = np.clip(np.rint(np.arange(256) * np.exp(gains)[:, None]), 0, 255).astype(int)
    return np.array(Image.fromarray(rgb).point(tables.ravel().tolist()))


def _gains(usual: Colours, own: Colours) -> NDArray[np.float64]:
    """(3,) logarithms of the gains of red, green and blue that lead from a part's own colour to the usual."""
    return np.array([usual[0] - own[0], 0.0, usual[1] - own[1]])


def _change(gains: NDArray[np.float64]) -> float:
    """The largest change of a single gain, where lightness may change too."""
    return float(gains.max() - gains.min()) / 2


def _middle(values: NDArray[np.float32]) -> float:
    """Mean of the middle half."""
    cut = len(values) // 4
    return float(
        np.partition(values, (cut, len(values) - cut - 1))[cut : len(values) - cut].mean(dtype=np.float64)
    )
