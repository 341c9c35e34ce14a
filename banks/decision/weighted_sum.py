"""Decision rules that add up image scores: "single", "add" and decision layer fusion (paper sec. 3.5)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.decision.good_scores import SEED, GoodScores
from banks.decision.part_scores import PartScores
from banks.decision.verdict import Verdict

PUBLISHED_LAMBDAS = {"rgb": 0.1, "point": 1.0, "fused": 1.0}
"""Factors before the published one-class SVMs, for scores and maps alike (M3DM command-line defaults)."""


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """Sum of bank scores times weights that are not negative.

    name: the rule that chose the weights.
    image_weights, pixel_weights: one a bank. Raises ValueError for weights that cannot be.
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

    def judge(self, part: PartScores) -> Verdict:
        """Weighted sums of the image scores and, pixel by pixel, of the maps, as published."""
        contributions = {
            bank: float(weight * part.findings[bank].image_score)
            for bank, weight in zip(self.banks, self.image_weights, strict=True)
        }
        terms = [
            np.float32(weight) * part.maps[bank]
            for bank, weight in zip(self.banks, self.pixel_weights, strict=True)
        ]
        return Verdict(contributions, None, np.add.reduce(terms, dtype=np.float32))

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def fit_single(good: GoodScores) -> WeightedSum:
    """One bank's score as it is. Raises ValueError for more banks."""
    if len(good.banks) != 1:
        raise ValueError(f"'single' decides by one bank, not {len(good.banks)}")
    return WeightedSum("single", good.banks, (1.0,), (1.0,))


def fit_add(good: GoodScores) -> WeightedSum:
    """The sum of all banks' scores."""
    ones = (1.0,) * len(good.banks)
    return WeightedSum("add", good.banks, ones, ones)


def fit_dlf_published(good: GoodScores) -> WeightedSum:
    """Two linear one-class SVMs over scores times lambda; their coefficients only, no offset, no sign (facts
    T7). The published code fits them on the training parts and on every pixel (facts 7.1)."""
    lambdas = np.array([PUBLISHED_LAMBDAS[bank] for bank in good.banks])
    pixels = np.concatenate([part_map.reshape(-1, len(good.banks)) for part_map in good.maps()])
    pixels = pixels * lambdas.astype(pixels.dtype)
    return WeightedSum(
        "dlf_published",
        good.banks,
        tuple((lambdas * _one_class(good.scores * lambdas)).tolist()),
        tuple((lambdas * _one_class(pixels)).tolist()),
    )


def fit_dlf(good: GoodScores) -> WeightedSum:
    """The same SVMs over scores without a unit: each bank's are divided by their median among good parts, so
    that no bank weighs more by its scale.

    A map's unit is its upper quartile: most of a map may be background, which must not set the unit.
    """
    pixels = good.pixels()
    image_units, pixel_units = _unit(good.scores, 0.5), _unit(pixels, 0.75)
    return WeightedSum(
        "dlf",
        good.banks,
        tuple((_one_class(good.scores / image_units) / image_units).tolist()),
        tuple((_one_class(pixels / pixel_units) / pixel_units).tolist()),
    )


def _one_class(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Coefficients (B,) of the published one-class SVM of rows (n, B); equal ones where it learns nothing.

    The rows lie in the positive orthant and the plane separates them from the origin. So a coefficient is
    negative only by the noise of a handful of steps, which is cut off.
    """
    from sklearn.linear_model import SGDOneClassSVM  # scoring does without the second that this import takes

    machine = SGDOneClassSVM(nu=0.5, max_iter=1000, random_state=SEED)
    weights = np.asarray(machine.fit(rows).coef_, np.float64).clip(0)
    return weights if np.isfinite(weights).all() and weights.any() else np.ones(rows.shape[1])


def _unit(rows: NDArray[np.float64], quantile: float) -> NDArray[np.float64]:
    """A quantile of each column, 1 where that is 0."""
    unit = np.quantile(rows, quantile, axis=0)
    return np.where(unit > 0, unit, 1.0)
