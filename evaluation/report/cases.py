"""Which test parts a report shows: the best, the median and the worst case of every defect family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.product_evaluation import FINAL, ScoredPart
from models.readers.product_folder import GOOD


@dataclass(frozen=True, slots=True)
class Case:
    """rank: "best", "median" or "worst". family: a defect family or "good"."""

    family: str
    rank: str
    scored: ScoredPart


def chosen_cases(parts: Sequence[ScoredPart], families: Mapping[str, str]) -> list[Case]:
    """Three parts a family, fewer where there are fewer parts; good parts first.

    The best case of a defect has the highest final score, the best good part the lowest.
    """
    by_family: dict[str, list[ScoredPart]] = {}
    for one in parts:
        family = GOOD if one.part.defect == GOOD else families.get(one.part.defect, one.part.defect)
        by_family.setdefault(family, []).append(one)
    found = []
    for family in sorted(by_family, key=lambda name: (name != GOOD, name)):
        best_first = sorted(
            by_family[family], key=lambda one: (one.score(FINAL), one.part.name), reverse=family != GOOD
        )
        last = len(best_first) - 1
        ranks = {last: "worst", last // 2: "median", 0: "best"}  # of a lone part, "best" stays
        found += [Case(family, ranks[at], best_first[at]) for at in sorted(ranks)]
    return found
