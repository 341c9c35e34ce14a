from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from evaluation.datasets.eyecandies import BadEyecandies, find_classes, list_parts, read_part
from evaluation.datasets.eyecandies_geometry import cloud_of


@pytest.fixture
def candy(tmp_path, eyecandies_class):
    eyecandies_class(tmp_path / "CandyCane")
    return tmp_path / "CandyCane"


def test_parts_are_listed_in_the_official_splits(candy):
    parts = [(part.split, part.index) for part in list_parts(candy)]
    assert parts == [
        ("train", "000"), ("train", "001"), ("val", "000"),
        ("test_public", "00"), ("test_public", "01"), ("test_public", "02"),
    ]  # fmt: skip
    assert len(list((candy / "train" / "data").glob("000_*"))) == 12  # and five masks in the test: seventeen
    assert len(list((candy / "test_public" / "data").glob("00_*"))) == 17


@pytest.mark.parametrize("place", ["CandyCane", "Eyecandies/CandyCane", "CandyCane/Eyecandies/CandyCane"])
def test_classes_are_found_wherever_archives_unpack(tmp_path, eyecandies_class, place):
    eyecandies_class(tmp_path / "root" / place)
    assert find_classes(tmp_path / "root") == {"CandyCane": tmp_path / "root" / place}
    assert list(find_classes(tmp_path / "root" / place)) == ["CandyCane"]


def test_a_part_is_decoded(candy, belt_scene):
    first, *_, bump, both = list_parts(candy)
    part = read_part(first)
    assert (part.rgb.shape, part.rgb.dtype, part.xyz.shape) == ((512, 512, 3), np.uint8, (512, 512, 3))
    np.testing.assert_allclose(
        part.xyz, cloud_of(belt_scene[0], belt_scene[1], "script"), atol=2e-6
    )  # 16 bits of 0.75 m, by 0.1
    assert not part.mask.any()
    assert read_part(bump).mask.sum() == 400
    assert read_part(bump).families == ("bumps",)
    assert read_part(both).families == ("bumps", "dents")


def test_the_light_is_the_papers_unless_the_scripts_is_asked_for(candy):
    part = next(list_parts(candy))
    assert read_part(part).rgb[0, 0, 0] == 5
    assert read_part(part, light=4).rgb[0, 0, 0] == 4


@pytest.mark.parametrize(
    ("item", "text", "sentence"),
    [
        ("pose.txt", "1 2 3", "16 numbers"),
        ("pose.txt", "a" * 16, "16 numbers"),
        ("pose.txt", "0 " * 16, "cannot be inverted"),
        ("info_depth.yaml", "normalization: {min: 1.0}", "normalization.min and normalization.max"),
        ("info_depth.yaml", "normalization: {min: 2.0, max: 1.0}", "2.0 to 1.0"),
        ("info_depth.yaml", "[", "normalization.min and"),
    ],
)
def test_a_broken_file_is_named(candy, item, text, sentence):
    part = next(list_parts(candy))
    part.file(item).write_text(text)
    with pytest.raises(BadEyecandies, match=f"000_{item}.*{sentence}"):
        read_part(part)


def test_depth_must_have_sixteen_bits(candy):
    part = next(list_parts(candy))
    Image.new("L", (512, 512)).save(part.file("depth.png"))
    with pytest.raises(BadEyecandies, match=r"000_depth\.png holds uint8 pixels, not uint16"):
        read_part(part)
