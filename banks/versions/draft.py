"""A version while it is built: its good parts and what was fitted on them, not yet on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.columns import Columns
from banks.decision import rules
from banks.decision.calibration import Calibration, calibrate
from banks.decision.good_scores import GoodScores
from banks.decision.part_scores import PartScores
from banks.decision.verdict import Decision
from banks.pipeline import Pipeline
from banks.versions.good_parts import GoodParts
from banks.versions.manifest import BankFacts
from recipes.profile import Profile


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The scores of good parts by columns that saw none of them: the evidence for a threshold.

    scores: of each part. valid: (size, size) bool of each part, where the sensor returned a point.
    """

    scores: Sequence[PartScores]
    valid: Sequence[NDArray[np.bool_]]

    def calibrate(self, decision: Decision, rate: float) -> Calibration:
        """Threshold and colours for this decision. rate: share of good parts that may be rejected."""
        verdicts = [decision.judge(part) for part in self.scores]
        maps = np.stack([verdict.map for verdict in verdicts])
        return calibrate([verdict.score for verdict in verdicts], maps, np.stack(self.valid), rate)


@dataclass(frozen=True, slots=True)
class Draft:
    """A version whose columns are fitted.

    train, validation: the good parts, with all their patches.
    set_aside: numbers of the training parts that nothing was fitted on, because a method of the profile
        cannot forget a part.
    pipeline: with its fusion.
    columns: fitted on the other training parts.
    """

    profile: Profile
    train: GoodParts
    validation: GoodParts
    set_aside: Sequence[int]
    pipeline: Pipeline
    columns: Columns

    def held_out(self, progress: Callable[[int, int], None]) -> HeldOut:
        """Score the validation parts, then the parts that were set aside.

        Where no part was set aside, training parts are left out: each is scored by the columns without it.
        There are as many as calibration still lacks, evenly spread.

        The fusion, the normalisers and the choice of rows have seen a left-out part, and its neighbours in
        the library may have given way to it. So the scores of left-out parts are a little high.
        """
        train, validation = self.train, self.validation
        unseen = [(validation, part) for part in range(len(validation))]
        unseen += [(train, part) for part in self.set_aside]
        left_out = [] if self.set_aside else self._left_out()
        total = len(unseen) + len(left_out)
        scores: list[PartScores] = []
        for split, part in unseen:
            scores.append(self.columns.score(split.store.features(part)))
            progress(len(scores), total)
        for part in left_out:
            scores.append(self.columns.without(part).score(train.store.features(part)))
            progress(len(scores), total)
        valid = [split.valid[part] for split, part in unseen] + [train.valid[part] for part in left_out]
        return HeldOut(scores, valid)

    def decision(self, held_out: HeldOut) -> Decision:
        """The profile's rule, fitted on the parts that the profile names."""
        scores = held_out.scores
        if self.profile.decision_fit == "training":
            store = self.train.store
            scores = [self.columns.score(store.features(part)) for part in self.fitted_on]
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

    def _left_out(self) -> list[int]:
        count = len(self.train)
        return evenly(count, min(count, wanted_parts(self.profile, self.validation)))


def wanted_parts(profile: Profile, validation: GoodParts) -> int:
    """Training parts that calibration wants beside the validation parts."""
    return max(0, profile.calibration_parts - len(validation))


def evenly(count: int, chosen: int) -> list[int]:
    """`chosen` numbers below `count`, evenly spread, the first of them 0."""
    return [count * place // chosen for place in range(chosen)]
