"""Banks of another size: as many rows as asked, and rows that look like the version's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from banks.columns import Columns
from banks.detector import Detector, PartResult
from banks.methods.memory_bank.column import MemoryBankColumn
from banks.methods.padim.column import PadimColumn
from banks.methods.padim.factors import Factors
from banks.versions.store import BankStore
from evaluation.bench.rows import BAGEL, NoRows, resized, rows_after
from models.readers import read_part
from models.readers.product_folder import open_product_folder
from recipes.profiles import find_profile
from tests.conftest import SMALL


@pytest.fixture(scope="module")
def detector(small_banks: Path) -> Detector:
    return Detector.load(BankStore(small_banks).path(SMALL))


def _banks(columns: Columns) -> dict[str, MemoryBankColumn]:
    found = {name: column for name, column in columns.columns.items() if isinstance(column, MemoryBankColumn)}
    assert len(found) == len(columns.columns)
    return found


@pytest.mark.parametrize(
    ("profile", "rows"),
    [
        ("m3dm", {"rgb": 19129, "point": 76518, "fused": 76518}),
        ("m3dm-paper-code", {"rgb": 7651, "point": 76519, "fused": 7651}),
    ],
)
def test_bagel_has_the_rows_that_are_known_of_it(profile: str, rows: dict[str, int]) -> None:
    patches = {"rgb": 784, "point": 3136, "fused": 3136}
    assert rows_after(find_profile(profile), patches, BAGEL) == rows


def test_generated_rows_vary_as_the_own_ones_do(detector: Detector) -> None:
    own, count = _banks(detector.columns), 4000
    larger = _banks(resized(detector.columns, dict.fromkeys(own, count)))
    for name, column in larger.items():
        before, after = own[name].bank.rows, column.bank.rows
        assert column.rows == len(column.provenance.part) == count > len(before)
        np.testing.assert_array_equal(after[: len(before)], before)
        generated = after[len(before) :]
        spread = before.std(axis=0, dtype=np.float64)
        assert np.abs(generated.mean(axis=0) - before.mean(axis=0)).max() < 0.1 * spread.max()
        atol = 1e-4 * spread.max()
        np.testing.assert_allclose(generated.std(axis=0, dtype=np.float64), spread, rtol=0.2, atol=atol)
        assert len(np.unique(generated, axis=0)) == len(generated)
        scales, origin = column.scales, own[name].provenance
        assert scales is not None
        assert len(scales) == count
        assert set(column.provenance.part) <= set(origin.part)


def test_the_same_rows_come_out_again(detector: Detector) -> None:
    once, again = (
        _banks(resized(detector.columns, dict.fromkeys(detector.columns.columns, 3000))) for _ in range(2)
    )
    for name, column in once.items():
        np.testing.assert_array_equal(column.bank.rows, again[name].bank.rows)


def test_a_smaller_bank_keeps_own_rows(detector: Detector) -> None:
    own = _banks(detector.columns)
    for name, column in _banks(resized(detector.columns, dict.fromkeys(own, 100))).items():
        assert column.rows == 100
        rows = {row.tobytes() for row in own[name].bank.rows}
        assert all(row.tobytes() in rows for row in column.bank.rows)


def test_a_version_of_another_size_scores_parts(detector: Detector, small_product: Path) -> None:
    part = next(part for part in open_product_folder(small_product).test if part.defect == "good")
    sample = read_part({field: file.read_bytes() for field, file in part.files.items()})
    rows = dict.fromkeys(detector.columns.columns, 6000)
    (before,) = detector.score([sample])
    (after,) = detector.with_columns(resized(detector.columns, rows)).score([sample])
    assert isinstance(before, PartResult)
    assert isinstance(after, PartResult)
    for name, finding in after.scores.findings.items():
        assert finding.nearest is not None
        assert (finding.nearest < 6000).all()
        assert np.median(finding.values) <= np.median(before.scores.findings[name].values)


def test_a_column_without_rows_has_no_size() -> None:
    seen = torch.rand(3, 4, 2, generator=torch.Generator().manual_seed(0)).double()
    gaussians = Factors.fit(lambda places: seen[:, places], (3, 4, 2), 0.01, lambda *_: None)
    column = PadimColumn(torch.arange(2), gaussians, 224)
    with pytest.raises(NoRows, match="rgb"):
        resized(Columns({"rgb": column}, "gaussian", 224, 1.0), {"rgb": 10})
