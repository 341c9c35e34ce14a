"""The second opinion is sound: it computes what the authors' own code computed."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.golden_values import Arrays, compare_scores, compare_stages, golden_yardstick


@pytest.mark.slow
def test_the_second_opinion_is_the_golden_one(recipe: ModuleType, golden: Arrays) -> None:
    computed = golden_yardstick(recipe, golden).computed
    compare_stages(computed, golden)
    for index in range(2):
        compare_scores(computed, golden, f"t{index}")
