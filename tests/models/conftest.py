"""Inputs and values of the golden set (tests/data/golden/README.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from models.preparation import Frame, PreparedPart

FOLDER = Path(__file__).parents[1] / "data" / "golden"


@pytest.fixture(scope="session")
def recipe() -> ModuleType:
    """The published recipe: `sample(i)` a part, `fill(state_dict, seed)` weights."""
    spec = spec_from_file_location("golden_recipe", FOLDER / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def golden() -> Mapping[str, NDArray[np.generic]]:
    """What the authors' code computes, by key."""
    with np.load(FOLDER / "golden_7.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file}


@pytest.fixture(scope="session")
def golden_part(recipe: ModuleType) -> Callable[[int], PreparedPart]:
    """Part i of the recipe as preparation hands it on: 224 x 224, background already out."""

    def prepared(number: int) -> PreparedPart:
        rgb, xyz = recipe.sample(number)
        return PreparedPart(rgb, xyz, (xyz != 0).all(-1), Frame(224, 224, 0, 0, 224), plane_found=False)

    return prepared
