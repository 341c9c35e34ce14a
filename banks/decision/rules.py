"""One score and one map from those of the banks (paper sec. 3.5, decision layer fusion; facts 7.1).

A rule is fitted once, on good parts only, and then is a few numbers in the manifest. Every rule grows (or
stays) when a bank's score grows: a bank can only speak against a part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr
from sklearn.linear_model import SGDOneClassSVM

PIXELS = 200_000
"""Held-out pixels, over all parts, from which "dlf" and "tail" learn. The published code uses every pixel."""

PUBLISHED_LAMBDAS = {"rgb": 0.1, "point": 1.0, "fused": 1.0}
"""Factors before the published one-class SVMs, for scores and maps alike (M3DM command-line defaults)."""

_SEED = 42  # the published random_state


Places: TypeAlias = Mapping[str, NDArray[np.float32]]


def total(contributions: Mapping[str, float]) -> float:
    """The part's score: every rule's is the sum of its banks' shares."""
    return math.fsum(contributions.values())


class Decision(Protocol):
    """What every rule can do. Mappings are by bank name and hold at least `banks`.

    scores: the banks' image scores. places: their patch distances, (P, P) float32, on one plane for all.
    """

    @property
    def banks(self) -> tuple[str, ...]:
        """The banks the rule listens to."""
        ...

    def score(self, scores: Mapping[str, float], places: Places) -> float:
        """The part's score."""
        ...

    def contributions(self, scores: Mapping[str, float], places: Places) -> dict[str, float]:
        """Each bank's share; they add up to the score."""
        ...

    def map(self, maps: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """(size, size) float32 from such maps."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, which `from_json` reads."""
        ...


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """Sum of bank scores times weights that are not negative. "single", "add" and both "dlf" end here.

    name: the rule that chose the weights. image_weights, pixel_weights: one a bank.
    """

    name: str
    banks: tuple[str, ...]
    image_weights: tuple[float, ...]
    pixel_weights: tuple[float, ...]

    def __post_init__(self) -> None:
        weights = np.array([*self.image_weights, *self.pixel_weights])
        if (
            not self.banks
            or len(weights) != 2 * len(self.banks)
            or len(self.image_weights) != len(self.banks)
        ):
            raise ValueError(f"{len(weights)} weights for {len(self.banks)} banks")
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError("weights must be finite and not negative")

    def score(self, scores: Mapping[str, float], places: Places) -> float:
        """Weighted sum of the image scores, as published; places are not asked."""
        return total(self.contributions(scores, places))

    def contributions(self, scores: Mapping[str, float], places: Places) -> dict[str, float]:
        """Weight times score, by bank."""
        return {bank: float(w * scores[bank]) for bank, w in zip(self.banks, self.image_weights, strict=True)}

    def map(self, maps: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Weighted sum, pixel by pixel."""
        terms = (np.float32(w) * maps[bank] for bank, w in zip(self.banks, self.pixel_weights, strict=True))
        return np.add.reduce(list(terms), dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Tail:
    """How far each bank's score lies in the tail of good parts.

    What good parts show is taken as log-normal, and surprisal is -log P(a good one shows as much), in nats:
    it needs no unit and grows without end. The image score asks place by place how surprising each bank's
    patch distance would be as the highest of a whole good part, adds the banks up there, and takes the place
    with the highest sum. So banks that see the same place strengthen each other, while one that has found
    nothing adds no noise of its own, which it finds elsewhere (measured in docs/results.md). The map adds the
    surprisals pixel by pixel.
    peak_centre, peak_spread: of the logarithm of a good part's highest patch distance, one a bank.
    pixel_centre, pixel_spread: of a good pixel's. peak_floor, pixel_floor: the smallest value told from 0.
    """

    banks: tuple[str, ...]
    peak_centre: tuple[float, ...]
    peak_spread: tuple[float, ...]
    peak_floor: tuple[float, ...]
    pixel_centre: tuple[float, ...]
    pixel_spread: tuple[float, ...]
    pixel_floor: tuple[float, ...]
    name: str = "tail"

    def __post_init__(self) -> None:
        fields = np.array([getattr(self, f"{p}_{k}") for p in ("peak", "pixel") for k in _TAIL_FIELDS])
        if fields.shape != (6, len(self.banks)) or not self.banks or not np.isfinite(fields).all():
            raise ValueError("a tail needs six finite numbers for each bank")
        if not (fields[[1, 2, 4, 5]] > 0).all():
            raise ValueError("spreads and floors must be positive")

    def score(self, scores: Mapping[str, float], places: Places) -> float:
        """Highest sum of the banks' surprisals at one place, nats."""
        return total(self.contributions(scores, places))

    def contributions(self, scores: Mapping[str, float], places: Places) -> dict[str, float]:
        """Surprisal by bank at the place of the highest sum, nats."""
        models = zip(self.banks, self.peak_centre, self.peak_spread, self.peak_floor, strict=True)
        found = np.stack([_surprisal(places[bank], *model) for bank, *model in models]).astype(np.float64)
        found = found.reshape(len(self.banks), -1)
        at = int(found.sum(axis=0).argmax())
        return {bank: float(value) for bank, value in zip(self.banks, found[:, at], strict=True)}

    def map(self, maps: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Sum of the surprisals, pixel by pixel."""
        models = zip(self.banks, self.pixel_centre, self.pixel_spread, self.pixel_floor, strict=True)
        return np.add.reduce([_surprisal(maps[bank], *model) for bank, *model in models], dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


_TAIL_FIELDS = ("centre", "spread", "floor")


def _surprisal(values: ArrayLike, centre: float, spread: float, floor: float) -> NDArray[Any]:
    """-log of the probability that a log-normal exceeds the values. Computed in logarithms: never
    infinite."""
    return -log_ndtr((centre - np.log(np.maximum(values, floor))) / spread)


_PRIOR_SPREAD = 0.08
"""Spread of the logarithm of good parts' peaks that demo products have, by and large."""
_PRIOR_PARTS = 10

Fit = Callable[
    [tuple[str, ...], NDArray[np.float64], NDArray[np.float64], Iterable[NDArray[np.float32]]], Decision
]


def fit(
    name: str,
    banks: Sequence[str],
    image_scores: NDArray[np.float64],
    peaks: NDArray[np.float64],
    pixel_maps: Iterable[NDArray[np.float32]],
) -> Decision:
    """Fit the rule registered as `name` on n good parts.

    image_scores: (n, B), columns in the order of `banks`. peaks: (n, B), the highest value of each bank's
    places. pixel_maps: n arrays (size, size, B) float32, read once. "dlf_published" wants the training
    parts as the published code does (facts 7.1), the others held-out parts; "single" and "add" look at
    neither. Raises KeyError on an unknown name, ValueError on wrong shapes, no parts or values that are
    negative or not finite.
    """
    scores = np.asarray(image_scores, np.float64)
    if scores.ndim != 2 or not len(scores) or scores.shape[1] != len(banks):
        raise ValueError(f"need scores (n, {len(banks)}) of at least one part, not {scores.shape}")
    tops = np.asarray(peaks, np.float64)
    if tops.shape != scores.shape:
        raise ValueError(f"need peaks {scores.shape} like the scores, not {tops.shape}")
    if any(not np.isfinite(values).all() or (values < 0).any() for values in (scores, tops)):
        raise ValueError("image scores and peaks must be finite and not negative")
    return RULES[name](tuple(banks), scores, tops, pixel_maps)


def from_json(data: Mapping[str, Any]) -> Decision:
    """Inverse of `to_json`. Raises KeyError, TypeError or ValueError on anything else."""
    name = data["name"]
    if name not in RULES:
        raise KeyError(f"no decision is called {name!r}")
    fields: dict[str, Any] = {key: tuple(value) for key, value in data.items() if key != "name"}
    return Tail(**fields) if name == "tail" else WeightedSum(name, **fields)


def _fit_single(banks: tuple[str, ...], scores: NDArray[np.float64], peaks: Any, maps: Any) -> Decision:
    if len(banks) != 1:
        raise ValueError(f"'single' decides by one bank, not {len(banks)}")
    return WeightedSum("single", banks, (1.0,), (1.0,))


def _fit_add(banks: tuple[str, ...], scores: NDArray[np.float64], peaks: Any, maps: Any) -> Decision:
    ones = (1.0,) * len(banks)
    return WeightedSum("add", banks, ones, ones)


def _fit_published(
    banks: tuple[str, ...], scores: NDArray[np.float64], peaks: Any, maps: Iterable[NDArray[np.float32]]
) -> Decision:
    """Scores times lambda into two linear one-class SVMs; coefficients only, no offset, no sign (facts
    T7)."""
    lambdas = np.array([PUBLISHED_LAMBDAS[bank] for bank in banks])
    pixels = np.concatenate([one.reshape(-1, len(banks)) for one in maps])
    pixels = pixels * lambdas.astype(pixels.dtype)
    return WeightedSum(
        "dlf_published",
        banks,
        _weights(lambdas * _one_class(scores * lambdas)),
        _weights(lambdas * _one_class(pixels)),
    )


def _fit_dlf(
    banks: tuple[str, ...], scores: NDArray[np.float64], peaks: Any, maps: Iterable[NDArray[np.float32]]
) -> Decision:
    """The same on scores without unit: divided by their median among good parts, so no bank is louder by
    its scale.

    A map's unit is its upper quartile: the background, which may be most of it, must not set the unit.
    """
    pixels = _sample(maps, len(scores), len(banks))
    image_units, pixel_units = _unit(scores, 0.5), _unit(pixels, 0.75)
    return WeightedSum(
        "dlf",
        banks,
        _weights(_one_class(scores / image_units) / image_units),
        _weights(_one_class(pixels / pixel_units) / pixel_units),
    )


def _fit_tail(
    banks: tuple[str, ...],
    scores: NDArray[np.float64],
    peaks: NDArray[np.float64],
    maps: Iterable[NDArray[np.float32]],
) -> Decision:
    """Log-normals: for peaks by median and a spread drawn towards a prior, for pixels by quantiles.

    A handful of parts gives a spread that may be wrong by half, and a bank whose spread comes out too small
    would shout the others down; so the prior weighs as much as ten parts.
    """
    count = len(scores)
    floor = _floor(peaks)
    logs = np.log(np.maximum(peaks, floor))
    squares = np.square(logs - logs.mean(axis=0)).sum(axis=0) + _PRIOR_PARTS * _PRIOR_SPREAD**2
    spread = np.sqrt(squares / (count - 1 + _PRIOR_PARTS))

    pixels = _sample(maps, count, len(banks))
    pixel_floor = _floor(pixels)
    middle, upper = np.quantile(np.log(np.maximum(pixels, pixel_floor)), (0.5, 0.99), axis=0)
    pixel_spread = np.maximum((upper - middle) / NormalDist().inv_cdf(0.99), 0.02)
    return Tail(
        banks,
        peak_centre=_weights(np.median(logs, axis=0)),
        peak_spread=_weights(spread),
        peak_floor=_weights(floor),
        pixel_centre=_weights(middle),
        pixel_spread=_weights(pixel_spread),
        pixel_floor=_weights(pixel_floor),
    )


RULES: Mapping[str, Fit] = {
    "single": _fit_single,
    "add": _fit_add,
    "dlf_published": _fit_published,
    "dlf": _fit_dlf,
    "tail": _fit_tail,
}
"""Every rule by its registered name."""


def _one_class(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Coefficients (B,) of the published one-class SVM of rows (n, B); equal ones where it learns nothing.

    The rows lie in the positive orthant and the plane separates them from the origin, so no coefficient is
    negative but by the noise of a handful of steps, which is cut off.
    """
    machine = SGDOneClassSVM(nu=0.5, max_iter=1000, random_state=_SEED)
    weights = np.asarray(machine.fit(rows).coef_, np.float64).clip(0)
    return weights if np.isfinite(weights).all() and weights.any() else np.ones(rows.shape[1])


def _unit(rows: NDArray[np.float64], quantile: float) -> NDArray[np.float64]:
    """A quantile of each column, 1 where that is 0."""
    unit = np.quantile(rows, quantile, axis=0)
    return np.where(unit > 0, unit, 1.0)


def _floor(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """A thousandth of each column's largest value, a tiny number where that is 0: what logarithms start
    from."""
    return np.maximum(1e-3 * rows.max(axis=0), 1e-12)


def _sample(maps: Iterable[NDArray[np.float32]], count: int, width: int) -> NDArray[np.float64]:
    """About PIXELS pixels (m, B) of the maps of `count` parts, equally many a part, the same on every
    call."""
    share = math.ceil(PIXELS / count)
    found: list[NDArray[np.float64]] = []
    for part, one in enumerate(maps):
        pixels = one.reshape(-1, width)
        if share < len(pixels):
            pixels = pixels[np.random.default_rng((_SEED, part)).choice(len(pixels), share, replace=False)]
        found.append(pixels.astype(np.float64))
    if len(found) != count:
        raise ValueError(f"{len(found)} maps for {count} parts")
    rows = np.concatenate(found)
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise ValueError("maps must be finite and not negative")
    return rows


def _weights(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
