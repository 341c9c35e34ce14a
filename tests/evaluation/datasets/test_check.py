from __future__ import annotations

import re

import pytest

from evaluation.datasets.check import check_dataset
from evaluation.datasets.mvtec3d import CATEGORIES
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
    (tmp_path / "depth" / "0.png").touch()
    with pytest.raises(ValueError, match=r"no intrinsics\.json"):
        check_dataset(tmp_path)
    (tmp_path / "intrinsics.json").write_text("{}")
    report = check_dataset(tmp_path)
    assert (report.kind, report.products[0].counts) == ("depth maps with intrinsics", {".": 1})


def test_other_folders_are_said_not_to_be_known(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotAProductFolder):
            check_dataset(path)
