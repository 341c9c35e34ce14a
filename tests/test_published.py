"""The second opinion is sound: it computes what the authors' own code computed."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.golden_values import Arrays, Yardstick, compare_scores, compare_stages


@pytest.mark.slow
def test_the_second_opinion_is_the_golden_one(recipe: ModuleType, golden: Arrays) -> None:
    computed = Yardstick(recipe, 7, (0, 2, 4), (1, 3, 5), (6, 7), golden).computed
    compare_stages(computed, golden)
    for index in range(2):
        compare_scores(computed, golden, f"t{index}")
