from __future__ import annotations

import re

import pytest
from PIL import Image

from evaluation.datasets.product_check import check_product
from models.readers.product_folder import open_product_folder


def check(product):
    return check_product("valve", open_product_folder(product)).findings


@pytest.fixture
def product(tmp_path, mvtec3d_category):
    mvtec3d_category(tmp_path / "valve", (60, 40))
    return tmp_path / "valve"


def test_a_whole_product_has_no_findings(product):
    report = check_product("valve", open_product_folder(product), deep=True)
    assert report.counts == {"train": 1, "validation": 1, "test good": 1, "test combined": 1, "test hole": 1}
    assert (report.inputs, report.findings, report.skipped) == (("rgb", "xyz"), (), ())


def test_missing_masks_and_splits_are_told(product):
    (product / "test" / "hole" / "gt" / "000.png").unlink()
    for path in (product / "test" / "good").rglob("000.*"):
        path.unlink()
    findings = check_product("valve", open_product_folder(product)).findings
    splits, masks = findings
    assert "no good test parts" in splits
    assert masks.startswith("1 ")
    assert "test/hole/000" in masks


def test_good_parts_beside_defects_are_drawn_as_test_parts(tmp_path, mvtec3d_part):
    for name in ("000", "001"):
        mvtec3d_part(tmp_path / "good", name, (40, 50), mask=False)
    drawn, splits = check_product("valve", open_product_folder(tmp_path)).findings
    assert "30 %" in drawn
    assert "no defective test parts" in splits
    mvtec3d_part(tmp_path / "dent", "000", (40, 50))
    assert len(check_product("valve", open_product_folder(tmp_path)).findings) == 1


def test_one_input_alone_is_told(product):
    for path in product.rglob("xyz/*"):
        path.unlink()
    assert check_product("valve", open_product_folder(product)).inputs == ("rgb",)


def test_sizes_of_image_cloud_and_mask_must_agree(product, mvtec3d_part):
    mvtec3d_part(product / "other", "000", (60, 60))
    (product / "other" / "xyz" / "000.tiff").rename(product / "test" / "hole" / "xyz" / "000.tiff")
    (product / "other" / "gt" / "000.png").rename(product / "test" / "good" / "gt" / "000.png")
    findings = check_product("valve", open_product_folder(product)).findings
    assert len(findings) == 2
    assert any(
        "test/hole/000: The image is 60 x 40 and the cloud is 60 x 60" in finding for finding in findings
    )
    assert any("test/good/000: The mask has another size" in finding for finding in findings)


def test_an_image_of_another_size_is_no_finding_where_it_is_declared(product):
    for path in product.rglob("rgb/*.png"):
        with Image.open(path) as image:
            image.resize((80, 120)).save(path)
    assert any("image is 120 x 80" in finding for finding in check(product))
    (product / "sensor.json").write_text('{"registration": "scaled"}')
    assert not any("image is" in finding for finding in check(product))


def test_deep_reads_every_part(product):
    cloud = product / "train" / "good" / "xyz" / "000.tiff"
    cloud.write_bytes(cloud.read_bytes()[:-5000])
    report = check_product("valve", open_product_folder(product), deep=True)
    assert any(finding.startswith("train/good/000 cannot be read") for finding in report.findings)


def test_official_regions_are_counted_when_deep(product):
    report = check_product("rope", open_product_folder(product), deep=True)
    assert any(re.match(r"2 defect regions .* 72\.$", finding) for finding in report.findings)
