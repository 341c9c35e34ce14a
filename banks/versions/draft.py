"""A version while it is built: its good parts and what was fitted on them, not yet on disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.columns import Columns
from banks.decision import rules
from banks.decision.calibration import Calibration, calibrate
from banks.decision.good_scores import GoodScores
from banks.decision.odd_parts import OddPart, highest, odd_ones
from banks.decision.part_scores import PartScores
from banks.decision.verdict import Decision
from banks.pipeline import Pipeline
from banks.versions.good_parts import GoodParts
from banks.versions.manifest import BankFacts
from recipes.profile import Profile

_FOLDS = 10
"""Rules that are fitted to judge the parts that are no suspects, each without a tenth of them."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The scores of good parts by columns that saw none of them: the evidence for a threshold.

    names, scores: of each part. valid: (size, size) bool of each part, where the sensor returned a point.
    areas, pieces: surface, square metres, and number of pieces of each part, where they are known.
    """

    names: Sequence[str]
    scores: Sequence[PartScores]
    valid: Sequence[NDArray[np.bool_]]
    areas: Sequence[float | None]
    pieces: Sequence[int | None]

    def final_scores(self, decision: Decision) -> list[float]:
        """What a decision makes of each part."""
        return [decision.judge(part).score for part in self.scores]

    def calibrate(self, decision: Decision, rate: float, odd: Sequence[int] = ()) -> Calibration:
        """Threshold and colours for this decision.

        rate: share of good parts that may be rejected. odd: numbers of the parts that do not count.
        """
        verdicts = [decision.judge(part) for part in self.scores]
        counted = [part for part in range(len(verdicts)) if part not in odd]
        return calibrate(
            [verdicts[part].score for part in counted],
            np.stack([verdicts[part].map for part in counted]),
            np.stack([self.valid[part] for part in counted]),
            rate,
            [
                OddPart(
                    self.names[part],
                    verdicts[part].score,
                    float(verdicts[part].map.max()),
                    self.areas[part],
                    self.pieces[part],
                )
                for part in odd
            ],
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A version whose columns are fitted.

    train, validation: the good parts, with all their patches.
    set_aside: numbers of the training parts that nothing was fitted on, because a method of the profile
        cannot forget a part.
    left_out: numbers of the training parts that are scored by the columns without them: as many as
        calibration still lacks, evenly spread; none where parts were set aside.
    pipeline: with its fusion.
    columns: fitted on the other training parts.
    """

    profile: Profile
    train: GoodParts
    validation: GoodParts
    set_aside: Sequence[int]
    left_out: Sequence[int]
    pipeline: Pipeline
    columns: Columns

    def held_out(self, progress: Callable[[int, int], None]) -> HeldOut:
        """Score the validation parts, the parts that were set aside, and the left-out parts.

        The fusion, the normalisers and the choice of rows have seen a left-out part.
        """
        train, validation = self.train, self.validation
        unseen = [(validation, part) for part in range(len(validation))]
        unseen += [(train, part) for part in self.set_aside]
        total = len(unseen) + len(self.left_out)
        scores: list[PartScores] = []
        for split, part in unseen:
            scores.append(self.columns.score(split.store.features(part)))
            progress(len(scores), total)
        for part in self.left_out:
            scores.append(self.columns.without(part).score(train.store.features(part)))
            progress(len(scores), total)
        parts = unseen + [(train, part) for part in self.left_out]
        return HeldOut(
            [split.names[part] for split, part in parts],
            scores,
            [split.valid[part] for split, part in parts],
            [split.areas[part] for split, part in parts],
            [split.pieces[part] for split, part in parts],
        )

    def decision(self, held_out: HeldOut, confirmed: Collection[str] = ()) -> tuple[Decision, list[int]]:
        """The profile's rule, and the numbers of the odd parts, the highest score first.

        confirmed: names of parts that a person called good, which are never odd.
        A rule that is fitted on held-out parts is fitted on those that are not odd. Odd parts widen the
        spread of a rule that is fitted on them, and so hide themselves. So a first rule only tells which
        parts score highest, and rules without them tell which of them are odd.
        """
        if self.profile.decision_fit == "training":
            store = self.train.store
            rule = self._rule([self.columns.score(store.features(part)) for part in self.fitted_on])
            odd = odd_ones(held_out.final_scores(rule))
            return rule, [part for part in odd if held_out.names[part] not in confirmed]
        scores = held_out.scores
        of_all = self._rule(scores)
        suspects = highest(held_out.final_scores(of_all))
        odd = odd_ones(self._unseen(scores, suspects)) if suspects else []
        odd = [part for part in odd if held_out.names[part] not in confirmed]
        if not odd:
            return of_all, odd
        return self._rule([part for number, part in enumerate(scores) if number not in odd]), odd

    def _unseen(self, scores: Sequence[PartScores], suspects: Collection[int]) -> list[float]:
        """What rules make of each part that have seen neither the part nor the suspects.

        A rule gives parts that it has seen lower scores than others. The fewer parts it has seen, the lower:
        among five parts, a suspect would look odd for that alone.
        """
        core = [number for number in range(len(scores)) if number not in suspects]
        folds = [core[first::_FOLDS] for first in range(min(_FOLDS, len(core)))]
        found: dict[int, float] = {}
        for judged in (*folds, suspects):
            rule = self._rule([scores[number] for number in core if number not in judged])
            found |= {number: rule.judge(scores[number]).score for number in judged}
        return [found[number] for number in range(len(scores))]

    def _rule(self, scores: Sequence[PartScores]) -> Decision:
        return rules.fit(self.profile.decision, GoodScores(tuple(self.profile.banks), scores))

    @property
    def fitted_on(self) -> list[int]:
        """Numbers of the training parts that the columns saw."""
        return [part for part in range(len(self.train)) if part not in self.set_aside]

    def facts(self) -> dict[str, BankFacts]:
        """What the manifest says of each column."""
        store = self.train.store
        return {
            name: BankFacts(
                side=store.layouts(name)[0].side,
                dimension=column.dimension,
                seen=store.count(name, self.fitted_on),
                rows=column.rows,
            )
            for name, column in self.columns.columns.items()
        }


def wanted_parts(profile: Profile, validation: GoodParts) -> int:
    """Training parts that calibration wants beside the validation parts."""
    return max(0, profile.calibration_parts - len(validation))
