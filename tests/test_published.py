"""The second opinion is sound: it computes what the authors' own code computed."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.golden_values import Arrays, compare_scores, compare_stages, golden_yardstick


@pytest.mark.slow
def test_the_second_opinion_is_the_golden_one(recipe: ModuleType, golden: Arrays) -> None:
    yardstick = golden_yardstick(recipe, golden)
    compare_stages(yardstick.computed, golden)
    compare_scores(yardstick.computed, golden, yardstick.last)
