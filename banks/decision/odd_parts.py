"""Good parts that score far outside the other good parts: defective, badly recorded, or good in a rare way.

A threshold that such a part sets lets defective parts pass. So they are named, and set no threshold until a
person says that they are good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FALSE_ALARM = 0.02
"""The highest of n clean parts is called odd with this probability at most, if their tail is as taken; and of
the parts called odd, this share is clean."""
_TRIMMED = 0.15
"""Share of the parts, the highest ones, whose scores are not believed. Where more parts are odd, those beyond
this share are not found."""
_FEWEST = 5
"""With fewer parts none is called odd."""


@dataclass(frozen=True, slots=True)
class OddPart:
    """A held-out part that scores far outside the others.

    name: of the part, such as "train/good/017".
    score: its final score. peak: the highest value of its map.
    area: of its surface, square metres. pieces: number of its pieces. None in versions of older sources.
    """

    name: str
    score: float
    peak: float
    area: float | None = None
    pieces: int | None = None


def highest(scores: Sequence[float]) -> list[int]:
    """Places of the scores whose values are not believed, the highest score first; of few scores none."""
    if len(scores) < _FEWEST:
        return []
    ranked = sorted(range(len(scores)), key=lambda place: -scores[place])
    return ranked[: math.ceil(_TRIMMED * len(scores))]


def odd_ones(scores: Sequence[float]) -> list[int]:
    """Places of the odd scores in `scores`, the highest score first.

    The tail of the good parts (`banks.decision.exceedances`) is fitted without the values of the highest
    scores. The k highest scores are odd if n good parts would have as many as `FALSE_ALARM` k scores beyond
    the k-th on average, at most (Benjamini and Hochberg 1995): the more parts lie far outside, the less far
    the next one must. Simulated with clean sets of 10 to 200 parts: at most 1 % of the sets with normal or
    Gumbel scores have an odd part, 3 % with exponential scores or log-normal ones of spread 0.5. Where the
    tail is far heavier than these (log-normal of spread 1), 5 to 30 % have one.
    """
    from banks.decision.exceedances import Exceedances

    suspects = highest(scores)
    if not suspects:
        return []
    tail = Exceedances.fit(sorted(scores), len(suspects))
    beyond = [len(scores) * tail.survival(scores[place]) for place in suspects]
    odd = [rank for rank, number in enumerate(beyond, start=1) if number < FALSE_ALARM * rank]
    return suspects[: max(odd, default=0)]
