"""Every decision rule by its name (paper sec. 3.5, decision layer fusion; facts 7.1).

A rule is fitted once, on good parts only. Fitted, it is a few numbers in the manifest. No rule's score falls
when a bank's score grows: a bank can only speak against a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from banks.decision.good_scores import GoodScores
from banks.decision.tail import Tail
from banks.decision.verdict import Decision
from banks.decision.weighted_sum import WeightedSum, fit_add, fit_dlf, fit_dlf_published, fit_single

RULES: Mapping[str, Callable[[GoodScores], Decision]] = {
    "single": fit_single,
    "add": fit_add,
    "dlf_published": fit_dlf_published,
    "dlf": fit_dlf,
    "tail": Tail.fit,
}
"""How every rule is fitted on the scores of good parts, by its registered name."""


def fit(name: str, good: GoodScores) -> Decision:
    """Fit the rule registered as `name`.

    good: "dlf_published" wants the training parts, as the published code does (facts 7.1); the others want
    held-out parts. "single" and "add" look at none. Raises KeyError for an unknown name, ValueError for
    banks or values that the rule cannot take.
    """
    return RULES[name](good)


def from_json(data: Mapping[str, Any]) -> Decision:
    """Inverse of `to_json`. Raises KeyError, TypeError or ValueError on anything else."""
    name = data["name"]
    if name not in RULES:
        raise KeyError(f"no decision is called {name!r}")
    fields: dict[str, Any] = {key: tuple(value) for key, value in data.items() if key != "name"}
    return Tail(**fields) if name == Tail.name else WeightedSum(name, **fields)
