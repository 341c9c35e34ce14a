from __future__ import annotations

import re

import numpy as np
import pytest

from evaluation.datasets.eyecandies_conversion import EyecandiesSettings, convert_class, part_gaps
from models.readers.product_folder import open_product_folder


@pytest.fixture
def candy(tmp_path, eyecandies_class):
    eyecandies_class(tmp_path / "raw" / "CandyCane")
    return tmp_path / "raw" / "CandyCane"


def test_a_class_becomes_a_product_folder(candy, tmp_path):
    skipped: list[str] = []
    assert convert_class(candy, tmp_path / "out", EyecandiesSettings(), skipped)
    assert skipped == []
    folder = open_product_folder(tmp_path / "out")
    assert [part.name for part in folder.train] == ["train/good/000", "train/good/001"]
    assert [part.name for part in folder.validation] == ["validation/good/000"]
    assert [part.name for part in folder.test] == ["test/good/00", "test/bad/01", "test/bad/02"]
    assert all(part.mask for part in folder.test)
    sample = folder.train[0].read()
    assert sample.xyz.shape == (512, 512, 3)
    np.testing.assert_array_equal(sample.valid, sample.xyz.any(axis=2))
    assert 0.05 < sample.valid.mean() < 0.25


def test_families_and_a_limit_are_options(candy, tmp_path):
    convert_class(candy, tmp_path / "out", EyecandiesSettings(by_family=True, train=1), [])
    folder = open_product_folder(tmp_path / "out")
    assert len(folder.train) == 1
    assert [part.defect for part in folder.test] == ["good", "bumps", "combined"]


def test_doing_it_again_does_nothing_and_other_settings_are_refused(candy, tmp_path):
    settings = EyecandiesSettings(train=1)
    assert convert_class(candy, tmp_path / "out", settings, [])
    assert not convert_class(candy, tmp_path / "out", settings, [])
    with pytest.raises(FileExistsError, match="exists"):
        convert_class(candy, tmp_path / "out", EyecandiesSettings(train=1, light=4), [])


def test_a_broken_part_is_skipped_with_its_reason(candy, tmp_path):
    (candy / "train" / "data" / "001_pose.txt").unlink()
    skipped: list[str] = []
    convert_class(candy, tmp_path / "out", EyecandiesSettings(), skipped)
    assert len(open_product_folder(tmp_path / "out").train) == 1
    assert len(skipped) == 1
    assert skipped[0].startswith("train/001:")
    assert "001_pose.txt" in skipped[0]


def test_gaps_are_counted_before_converting(candy):
    (candy / "test_public" / "data" / "01_mask.png").unlink()
    gaps = list(part_gaps(candy, EyecandiesSettings()))
    assert re.findall(r"^train: (\d+) .* (\d+)\.", gaps[0]) == [("2", "1000")]
    assert gaps[-1].startswith("test_public/01: mask.png ")
