"""What an evaluator finds in the folder of its products."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evaluation.evaluator import Evaluator
from tests.conftest import SMALL


@pytest.mark.parametrize("place", ["", SMALL, f"further/in/{SMALL}"])
def test_the_families_of_defects_are_found_wherever_the_product_lies(
    place: str, few_parts: Path, tmp_path: Path
) -> None:
    data = few_parts
    if place:
        data = tmp_path / "data"
        shutil.copytree(few_parts, data / place)
    evaluator = Evaluator(data, tmp_path / "out")
    assert evaluator.families(SMALL)["stain"] == "colour"
