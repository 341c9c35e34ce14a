"""Masks as they lie, on the grid of the maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from banks.detector import Detector
from banks.versions.store import BankStore
from evaluation.metrics.map_folder import read_mask
from evaluation.product_evaluation import families_of, score_parts
from models.readers.product_folder import open_product_folder
from tests.conftest import SMALL


def test_a_mask_of_another_size_is_fitted_and_counted(
    small_product: Path, small_banks: Path, tmp_path: Path
) -> None:
    test = open_product_folder(small_product).test
    part = next(part for part in test if part.mask and read_mask(part.mask).any())
    assert part.mask is not None
    with Image.open(part.mask) as image:
        image.resize((image.width * 2, image.height * 2), Image.Resampling.NEAREST).save(tmp_path / "2.png")
    detector = Detector.load(BankStore(small_banks).path(SMALL))
    scores = score_parts(detector, [part, replace(part, mask=tmp_path / "2.png")], lambda done, total: None)
    own, other = scores.parts
    assert (own.resized, other.resized) == (False, True)
    assert own.mask is not None
    assert other.mask is not None
    assert own.mask.any()
    np.testing.assert_array_equal(own.mask, other.mask)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"7", b'{"families": 7}', b'{"families": {"hole": ["a"]}}', '{"a": "é"}'.encode("latin1")],
)
def test_a_record_that_is_another_one_names_no_families(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "parts.json").write_bytes(content)
    assert families_of(tmp_path) == {}
