from __future__ import annotations

import re
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from banks.versions.builder import MIN_PARTS
from evaluation.datasets.check import check_dataset
from evaluation.datasets.mvtec3d import CATEGORIES
from evaluation.datasets.product_check import FEWEST_PARTS
from models.readers.product_places import NotAProductFolder


def test_mvtec3d_is_known_by_its_categories(tmp_path, mvtec3d_category):
    for name in ("rope", "bagel"):
        mvtec3d_category(tmp_path / name, CATEGORIES[name].size)
    report = check_dataset(tmp_path)
    assert report.kind == "MVTec 3D-AD"
    assert [product.name for product in report.products] == ["bagel", "rope"]
    assert report.missing == tuple(name for name in CATEGORIES if name not in ("rope", "bagel"))
    assert any(re.match(r"1 training parts.* 298\.$", text) for text in report.products[1].findings)
    assert check_dataset(tmp_path / "rope").kind == "a product folder"


def test_eyecandies_is_known_by_its_files(tmp_path, eyecandies_class):
    eyecandies_class(tmp_path / "CandyCane")
    (tmp_path / "CandyCane" / "test_private" / "data").mkdir(parents=True)
    report = check_dataset(tmp_path)
    assert report.kind.startswith("Eyecandies")
    assert report.products[0].counts == {"train": 2, "val": 1, "test_public": 3}
    assert report.products[0].skipped[0].startswith("test_private")
    assert len(report.missing) == 9
    assert check_dataset(tmp_path / "CandyCane").missing == ()


def test_depth_maps_ask_for_their_camera(tmp_path):
    (tmp_path / "depth").mkdir()
    Image.fromarray(np.full((40, 50), 700, np.uint16)).save(tmp_path / "depth" / "0.png")
    (product,) = check_dataset(tmp_path).products
    assert product.counts["train"] == 1
    assert any("intrinsics" in finding for finding in product.findings)
    (tmp_path / "intrinsics.json").write_text('{"fx": 50, "fy": 50, "cx": 25, "cy": 20}')
    (product,) = check_dataset(tmp_path).products
    assert not any("intrinsics" in finding for finding in product.findings)


def test_other_folders_are_said_not_to_be_known(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotAProductFolder):
            check_dataset(path)


def test_a_product_is_described_by_its_headers(tmp_path, mvtec3d_category):
    mvtec3d_category(tmp_path / "valve [2]", (60, 40))
    report = check_dataset(tmp_path / "valve [2]")
    (product,) = report.products
    assert product.layout.startswith("train/")
    assert product.images == {"PNG, colour, 8 bits, 60 x 40": 5}
    assert product.clouds == {"TIFF, float32, 60 x 40": 5}
    assert product.points is not None
    assert report.next_step == f"tribank evaluate '{tmp_path}/valve [2]'"


def test_the_significant_bits_of_16_bit_images_are_told(tmp_path):
    values = np.linspace(0, 4095, 40 * 50).astype(np.uint16).reshape(40, 50)
    for number in range(3):
        Image.fromarray(values).save(tmp_path / f"{number}.png")
    (product,) = check_dataset(tmp_path).products
    assert product.images == {"PNG, grey, 16 bits, 40 x 50": 3}
    assert product.image_bits == 12


def test_parts_that_are_declared_differently_are_told(tmp_path, mvtec3d_category):
    mvtec3d_category(tmp_path / "valve", (60, 40))
    for split, unit in (("train", "mm"), ("validation", "m")):
        (tmp_path / "valve" / split / "good" / "sensor.json").write_text(f'{{"xyz_unit": "{unit}"}}')
    (product,) = check_dataset(tmp_path / "valve").products
    assert any("declared differently" in finding for finding in product.findings)


def test_one_good_part_is_too_few_to_build(tmp_path, mvtec3d_part):
    mvtec3d_part(tmp_path, "000", (40, 50), mask=False)
    report = check_dataset(tmp_path)
    assert report.next_step == ""
    assert any(f"at least {MIN_PARTS}" in finding for finding in report.products[0].findings)
    assert MIN_PARTS == FEWEST_PARTS


@pytest.mark.parametrize(("kind", "profile"), [("rgb", "embedded-rgb"), ("xyz", "embedded-point")])
def test_the_next_command_names_a_product_and_a_profile_that_build_takes(
    tmp_path, mvtec3d_part, kind, profile
):
    for name in ("000", "001"):
        mvtec3d_part(tmp_path / "Line Ä7_", name, (40, 50), mask=False)
    shutil.rmtree(tmp_path / "Line Ä7_" / ({"rgb", "xyz"} - {kind}).pop())
    said = shlex.split(check_dataset(tmp_path / "Line Ä7_").next_step)
    assert said == ["tribank", "build", "line-7", str(tmp_path / "Line Ä7_"), "--profile", profile]


def test_the_next_command_follows_what_is_there(tmp_path, mvtec3d_part):
    for name in ("000", "001"):
        mvtec3d_part(tmp_path / "line 7" / "good", name, (40, 50), mask=False)
    assert check_dataset(tmp_path / "line 7").next_step == f"tribank build line-7 '{tmp_path}/line 7'"
    mvtec3d_part(tmp_path / "line 7" / "dent", "000", (40, 50))
    report = check_dataset(tmp_path / "line 7")
    assert report.next_step.startswith("tribank evaluate")
    assert report.products[0].counts == {"train": 2, "validation": 0, "test dent": 1}


def test_all_parts_are_read_only_if_deep(tmp_path, mvtec3d_part):
    for number in range(20):
        mvtec3d_part(tmp_path / "good", f"{number:03}", (40, 50), mask=False)
    cloud = tmp_path / "good/xyz/001.tiff"
    cloud.write_bytes(cloud.read_bytes()[:-1000])
    (tmp_path / "good/rgb/002.png").write_bytes(b"")
    done = []
    (seen,) = check_dataset(tmp_path).products
    assert [finding.split()[0] for finding in seen.findings if "cannot be read" in finding] == ["good/002"]
    (deep,) = check_dataset(tmp_path, deep=True, progress=lambda *step: done.append(step)).products
    unreadable = {finding.split()[0] for finding in deep.findings if "cannot be read" in finding}
    assert unreadable == {"good/001", "good/002"}
    assert done[-1] == (20, 20)
