from __future__ import annotations

import os

import numpy as np
import pytest

from evaluation.datasets.product_writer import ConvertedPart, write_product
from models.readers.product_folder import open_product_folder

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
    assert open_product_folder(tmp_path / "out").train[0].files.keys() == {"xyz"}


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
    with pytest.raises(FileExistsError, match=r"Remove it or\s"):
        write_product(tmp_path / "out", [], {})


PART = ConvertedPart("train/good", "0", RGB, XYZ, None)


def names(out):
    return [part.name for part in open_product_folder(out).train]


def test_a_product_with_parts_left_out_is_not_there_already(tmp_path):
    out = tmp_path / "out"
    record = {"a": 1, "inputs": "x", "parts": 2}
    assert write_product(out, [PART], record, ["train/good/1: cannot be read"])
    mended = [PART, ConvertedPart("train/good", "1", RGB, XYZ, None)]
    assert write_product(out, mended, record)
    assert names(out) == ["train/good/0", "train/good/1"]
    assert not write_product(out, mended, record)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_other_inputs_are_converted_again_but_never_over_others_files(tmp_path):
    out = tmp_path / "out"
    write_product(out, [PART], {"a": 1, "inputs": "x"})
    assert write_product(out, [ConvertedPart("train/good", "9", RGB, XYZ, None)], {"a": 1, "inputs": "y"})
    assert names(out) == ["train/good/9"]
    with pytest.raises(FileExistsError):
        write_product(out, [PART], {"a": 2, "inputs": "y"})
    mask = out / "train" / "good" / "gt" / "9.png"
    mask.parent.mkdir()
    mask.write_bytes(b"drawn by hand")
    later = (out / "conversion.json").stat().st_mtime_ns + 10**9
    os.utime(mask, ns=(later, later))
    with pytest.raises(FileExistsError):
        write_product(out, [PART], {"a": 1, "inputs": "x"})
    assert mask.read_bytes() == b"drawn by hand"
    assert not write_product(out, [PART], {"a": 1, "inputs": "y"})
