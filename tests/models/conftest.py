"""Prepared parts of the golden set (tests/data/golden/README.md)."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from models.preparation.prepare import Frame, PreparedPart


@pytest.fixture(scope="session")
def golden_part(recipe: ModuleType) -> Callable[[int], PreparedPart]:
    """Part i of the recipe as preparation hands it on: 224 x 224, background already out."""

    def prepared(number: int) -> PreparedPart:
        rgb, xyz = recipe.sample(number)
        return PreparedPart(rgb, xyz, (xyz != 0).all(-1), Frame(224, 224, 0, 0, 224), plane_found=False)

    return prepared
