from __future__ import annotations

import numpy as np
import pytest

from evaluation.datasets.product_writer import ConvertedPart, write_product
from models.product_folder import open_product_folder

XYZ = np.random.default_rng(0).random((40, 50, 3), np.float32)
RGB = np.arange(6000, dtype=np.uint8).reshape(40, 50, 3)


def test_a_product_reads_back_as_written(tmp_path):
    mask = np.zeros((40, 50), bool)
    mask[3:5] = True
    parts = [
        ConvertedPart("train/good", "0", RGB, XYZ, None),
        ConvertedPart("test/hole", "0", RGB, XYZ, mask),
    ]
    assert write_product(tmp_path / "out", parts, {"a": 1})
    folder = open_product_folder(tmp_path / "out")
    sample = folder.train[0].read()
    np.testing.assert_array_equal(sample.xyz, XYZ)
    np.testing.assert_array_equal(sample.rgb, RGB)
    assert folder.train[0].mask is None
    assert folder.test[0].mask is not None


def test_a_part_without_image_has_no_image(tmp_path):
    write_product(tmp_path / "out", [ConvertedPart("train/good", "0", None, XYZ, None)], {})
    assert open_product_folder(tmp_path / "out").train[0].rgb is None


def test_an_interrupted_product_is_not_there_and_can_be_made_again(tmp_path):
    def interrupted():
        yield ConvertedPart("train/good", "0", RGB, XYZ, None)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_product(tmp_path / "out", interrupted(), {})
    assert not (tmp_path / "out").exists()
    assert write_product(tmp_path / "out", [ConvertedPart("train/good", "1", RGB, XYZ, None)], {})
    assert [part.name for part in open_product_folder(tmp_path / "out").train] == ["train/good/1"]


def test_a_folder_of_others_is_never_touched(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError, match="remove it or write elsewhere"):
        write_product(tmp_path / "out", [], {})
