"""Patches of normals: their grid, that a part is alone, and what they see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.extraction import Extractor
from models.layout import GridLayout
from models.preparation.prepare import PreparedPart
from models.weights.store import WeightStore
from recipes.extraction import Extraction, NormalsChoice
from recipes.rgb import RgbChoice

CHOICE = NormalsChoice(RgbChoice("efficientnet_lite0", stages=(1, 2)), gain=3.0)
SIZE = 224


@pytest.fixture(scope="module")
def extractor() -> Callable[[NormalsChoice], Extractor]:
    return lambda choice: Extractor(Extraction(normals=choice), WeightStore(), rgb_size=SIZE)


Loaded = Callable[[NormalsChoice], Extractor]


def test_a_part_has_one_grid_whose_rows_depend_on_its_cloud_alone(
    extractor: Loaded, golden_part: Callable[[int], PreparedPart]
) -> None:
    part = golden_part(3)
    (features, milliseconds) = extractor(CHOICE)(part)
    grid = features["normals"]
    assert list(milliseconds) == ["normals"]
    assert grid.layout == GridLayout(28)
    assert grid.rows.isfinite().all()
    assert len(grid.rows.unique(dim=0)) > 300
    painted = replace(part, image=255 - part.rgb)
    assert torch.equal(extractor(CHOICE)(painted)[0]["normals"].rows, grid.rows)


def test_averaged_patches_are_means_of_three_by_three(
    extractor: Loaded, golden_part: Callable[[int], PreparedPart]
) -> None:
    part = golden_part(3)
    plain, averaged = (
        extractor(replace(CHOICE, averaged=averaged))(part)[0]["normals"].rows.view(28, 28, -1)
        for averaged in (False, True)
    )
    torch.testing.assert_close(averaged[9, 13], plain[8:11, 12:15].mean(dim=(0, 1)), rtol=1e-4, atol=1e-5)


def test_a_dent_moves_the_patches_at_its_place(
    extractor: Loaded, golden_part: Callable[[int], PreparedPart]
) -> None:
    part = golden_part(3)
    rows, columns = np.nonzero(part.valid)
    y, x = int(np.median(rows)), int(np.median(columns))
    yy, xx = np.mgrid[:SIZE, :SIZE]
    depth = np.exp(-((yy - y) ** 2 + (xx - x) ** 2) / (2 * 6**2))
    xyz = (
        part.xyz
        + np.array([0, 0, 1], np.float32) * (0.003 * depth * part.valid).astype(np.float32)[..., None]
    )
    load = extractor(CHOICE)
    moved = (load(replace(part, xyz=xyz))[0]["normals"].rows - load(part)[0]["normals"].rows).norm(dim=1)
    row, column = divmod(int(moved.argmax()), 28)
    assert max(abs(row - y // 8), abs(column - x // 8)) <= 2


def test_a_choice_must_be_resolved(extractor: Loaded) -> None:
    with pytest.raises(ValueError, match="resolve"):
        extractor(replace(CHOICE, gain=None))
