"""The second opinion is sound: it computes what the authors' own code computed.

What it computes is the same at every run, so it is written down (tests/published_values.py). The texts that
computed it are still those of today, and a sample of it is computed again.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from tests.golden_values import (
    Arrays,
    compare_scores,
    compare_stages,
    golden_yardstick,
    kept_values,
    kept_yardstick,
)
from tests.published_values import SMALL, Small, digest, published, stages


def test_the_second_opinion_is_the_golden_one(recipe: ModuleType, golden: Arrays) -> None:
    kept = kept_values(7)
    compare_stages(kept, golden)
    compare_scores(kept, golden, golden_yardstick(recipe, golden).last)


def test_todays_texts_computed_what_is_written_down(recipe: ModuleType, golden: Arrays) -> None:
    """If not: .venv/bin/python -m tests.published_values"""
    for yardstick in (golden_yardstick(recipe, golden), kept_yardstick(recipe)):
        assert kept_values(yardstick.seed)["digest"].item() == digest(yardstick)


@pytest.mark.slow
def test_a_part_is_computed_as_written_down(recipe: ModuleType, golden: Arrays) -> None:
    found = stages(published(golden_yardstick(recipe, golden)), 7, dict(golden))
    compare_stages(found, golden)
    kept = kept_values(7)
    for name, value in found.items():
        np.testing.assert_allclose(value, kept[name], atol=1e-4, err_msg=name)


def test_scores_are_computed_as_written_down(recipe: ModuleType) -> None:
    kept, found = kept_values(7), Small(recipe, 7).values
    assert len(found) == 11
    for name, value in found.items():
        assert name.startswith(SMALL)
        np.testing.assert_allclose(value, kept[name], rtol=1e-5, err_msg=name)
