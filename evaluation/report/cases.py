"""Choose the test parts of a report: the best, the median and the worst case of every defect family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.product_evaluation import FINAL, ScoredPart
from models.readers.folder_layout import GOOD


@dataclass(frozen=True, slots=True)
class Case:
    """A test part in a report. family: a defect family or "good". rank: "best", "median" or "worst"."""

    family: str
    rank: str
    scored: ScoredPart


def chosen_cases(parts: Sequence[ScoredPart], families: Mapping[str, str]) -> list[Case]:
    """Up to three parts per family, good parts first.

    The best case of a defect has the highest final score. The best good part has the lowest.
    """
    by_family: dict[str, list[ScoredPart]] = {}
    for scored in parts:
        defect = scored.part.defect
        family = GOOD if defect == GOOD else families.get(defect, defect)
        by_family.setdefault(family, []).append(scored)
    cases = []
    for family in sorted(by_family, key=lambda name: (name != GOOD, name)):
        best_first = sorted(
            by_family[family],
            key=lambda scored: (scored.score(FINAL), scored.part.name),
            reverse=family != GOOD,
        )
        last = len(best_first) - 1
        ranks = {last: "worst", last // 2: "median", 0: "best"}  # a single part is the "best"
        cases += [Case(family, ranks[at], best_first[at]) for at in sorted(ranks)]
    return cases
