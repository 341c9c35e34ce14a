"""A memory bank as a column: what is kept comes back, and a training part can be forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from banks.feature_store import FeatureStore
from banks.methods.column_files import ColumnFiles
from banks.methods.memory_bank.column import MemoryBankColumn
from banks.methods.method import FitTask
from models.features import Patches
from models.layout import GridLayout
from models.weights.store import WeightStore
from recipes.profile import Profile
from recipes.profiles import find_profile

PROFILE = find_profile("embedded-point", changes=["coreset=0.5"])
LAYOUT = GridLayout(8)


def patches(seed: int) -> Patches:
    return Patches(torch.randn(64, 6, generator=torch.Generator().manual_seed(seed)), LAYOUT)


def fitted(folder: Path, profile: Profile) -> MemoryBankColumn:
    """Of the parts 0, 2 and 3 of four."""
    library = FeatureStore(folder)
    for seed in range(4):
        library.append({"point": patches(seed)})
    parts, left_out = [0, 2, 3], [0, 2]
    task = FitTask(
        "point", profile, library, parts, left_out, 0, "cpu", WeightStore(), folder, lambda *_: None
    )
    return MemoryBankColumn.fit(task)


@pytest.fixture
def column(tmp_path: Path) -> MemoryBankColumn:
    return fitted(tmp_path / "library", PROFILE)


def test_only_the_asked_parts_fill_the_bank(column: MemoryBankColumn) -> None:
    assert (column.rows, column.dimension) == (96, 6)
    assert set(column.provenance.part) == {0, 2, 3}


def test_what_was_saved_scores_the_same(column: MemoryBankColumn, tmp_path: Path) -> None:
    files = ColumnFiles(tmp_path, "point")
    column.save(files)
    ColumnFiles(tmp_path, "other").add_tensors("provenance", {"part": torch.zeros(1)})
    again = MemoryBankColumn.load(files, "point", PROFILE, "cpu", WeightStore())
    expected, found = column.score(patches(9)), again.score(patches(9))
    np.testing.assert_array_equal(found.values, expected.values)
    assert (found.image_score, found.layout) == (expected.image_score, LAYOUT)
    for name in ("part", "cell", "pixel"):
        np.testing.assert_array_equal(getattr(again.provenance, name), getattr(column.provenance, name))


def test_a_forgotten_part_has_no_rows(column: MemoryBankColumn) -> None:
    kept = set(zip(column.provenance.part.tolist(), column.provenance.cell.tolist(), strict=True))
    part, cell = next((part, cell) for part, cell in sorted(kept) if part == 2)
    assert column.score(patches(part)).values[cell] == 0
    smaller = column.without(part)
    assert set(smaller.provenance.part) == {0, 3}
    assert smaller.rows == len(smaller.provenance.part)
    assert smaller.score(patches(part)).values[cell] > 0
    assert column.without(1) is column, "no row came from part 1"


def test_a_bank_of_one_part_stays_as_it_is(column: MemoryBankColumn) -> None:
    alone = column.without(0).without(2)
    assert alone.without(3) is alone


def test_a_left_out_part_scores_as_if_the_bank_had_never_seen_it(tmp_path: Path) -> None:
    """Parts come in twins with the same patches, in another order, and the coreset holds each patch once."""
    library = FeatureStore(tmp_path)
    for seed in (0, 0, 1, 1):
        order = np.random.default_rng(library.parts).permutation(64)
        library.append({"point": Patches(patches(seed).rows[order], LAYOUT)})
    profile = find_profile("embedded-point", changes=["coreset=0.75", "banks.point.normalisation=none"])

    def of(*parts: int) -> MemoryBankColumn:
        return MemoryBankColumn.fit(
            FitTask(
                "point", profile, library, parts, parts, 0, "cpu", WeightStore(), tmp_path, lambda *_: None
            )
        )

    every = of(0, 1, 2, 3)
    assert every.rows == 128
    plain, with_rows = replace(every, stand_ins=None), set(every.provenance.part)
    assert with_rows
    for part in range(4):
        asked = library.patches("point", part)
        expected = of(*{0, 1, 2, 3} - {part}).score(asked)
        found = every.without(part).score(asked)
        np.testing.assert_allclose(found.values, expected.values, atol=1e-6)
        assert found.image_score == pytest.approx(expected.image_score, abs=1e-6)
        assert part not in every.without(part).provenance.part
        holes = plain.without(part).score(asked).values
        assert (holes.max() > 0.1) == (part in with_rows)


def test_a_loaded_column_has_no_stand_ins(column: MemoryBankColumn, tmp_path: Path) -> None:
    assert column.stand_ins is not None
    assert set(column.provenance.part[column.stand_ins.of]) == {0, 2}, "the parts that are left out"
    files = ColumnFiles(tmp_path, "point")
    column.save(files)
    assert MemoryBankColumn.load(files, "point", PROFILE, "cpu", WeightStore()).stand_ins is None


def test_local_scales_are_kept_and_forgotten_with_their_rows(tmp_path: Path) -> None:
    profile = find_profile("embedded-point", changes=["coreset=0.5", "banks.point.local_scale=0.5"])
    column = fitted(tmp_path / "library", profile)
    assert column.scales is not None
    assert column.scales.shape == (column.rows,)
    plain = replace(column, scales=None).score(patches(9))
    found = column.score(patches(9))
    assert plain.nearest is not None
    np.testing.assert_array_equal(found.values, plain.values / column.scales[plain.nearest])
    files = ColumnFiles(tmp_path, "point")
    column.save(files)
    again = MemoryBankColumn.load(files, "point", profile, "cpu", WeightStore())
    np.testing.assert_array_equal(again.score(patches(9)).values, found.values)
    smaller = again.without(2)
    assert smaller.scales is not None
    np.testing.assert_array_equal(smaller.scales, column.scales[column.provenance.part != 2])
    filled = column.without(2)
    assert filled.scales is not None
    assert len(filled.scales) == filled.rows > smaller.rows
