"""The second opinion is sound: it computes what the authors' own code computed.

What it computes is the same at every run, so it is written down (tests/published_values.py). The texts that
computed it are still those of today, and a sample of it is computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from models.weights.store import WeightStore
from tests.conftest import MadeOnce
from tests.golden_inputs import link_weights
from tests.golden_values import (
    Arrays,
    compare_scores,
    compare_stages,
    golden_yardstick,
    kept_values,
    kept_yardstick,
)
from tests.published_values import SMALL, Small, digest, published, stages


@pytest.fixture(scope="module")
def drawn(recipe: ModuleType, made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The recipe with the networks' numbers of seed 7 as other tests have them on disk: drawing them again
    takes seconds."""
    folder: Path = tmp_path_factory.mktemp("weights")
    link_weights(recipe, made_once, folder, ("dino_vitb8", "pointmae", "uff"), 7)
    image, points, fusion = (WeightStore(folder).load(name) for name in ("dino_vitb8", "pointmae", "uff"))

    def fill(state: Mapping[str, Tensor], seed: int) -> Mapping[str, Tensor]:
        assert (seed, state.keys()) == (7, image.keys())
        return image

    def value(key: str, shape: tuple[int, ...], seed: int) -> Tensor:
        found = (points | fusion)[key]
        assert (seed, found.shape) == (7, shape)
        return found

    return SimpleNamespace(fill=fill, value=value, sample=recipe.sample)


def test_the_second_opinion_is_the_golden_one(recipe: ModuleType, golden: Arrays) -> None:
    kept = kept_values(7)
    compare_stages(kept, golden)
    compare_scores(kept, golden, golden_yardstick(recipe, golden).last)


def test_todays_texts_computed_what_is_written_down(recipe: ModuleType, golden: Arrays) -> None:
    """If not: .venv/bin/python -m tests.published_values"""
    for yardstick in (golden_yardstick(recipe, golden), kept_yardstick(recipe)):
        assert kept_values(yardstick.seed)["digest"].item() == digest(yardstick)


@pytest.mark.slow
def test_a_part_is_computed_as_written_down(drawn: Any, golden: Arrays) -> None:
    found = stages(published(golden_yardstick(drawn, golden)), 7, dict(golden))
    compare_stages(found, golden)
    kept = kept_values(7)
    for name, value in found.items():
        np.testing.assert_allclose(value, kept[name], atol=1e-4, err_msg=name)


def test_scores_are_computed_as_written_down(drawn: Any) -> None:
    kept, found = kept_values(7), Small(drawn, 7).values
    assert len(found) == 11
    for name, value in found.items():
        assert name.startswith(SMALL)
        np.testing.assert_allclose(value, kept[name], rtol=1e-5, err_msg=name)
