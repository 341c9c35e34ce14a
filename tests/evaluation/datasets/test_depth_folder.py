from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from evaluation.datasets.check import check_dataset
from evaluation.datasets.depth_folder import convert_depth_parts, list_depth_parts
from evaluation.datasets.product_writer import write_product
from models.readers.product_folder import open_product_folder
from models.sample import BadSample

CAMERA = {"fx": 60.0, "fy": 61.0, "cx": 31.5, "cy": 23.5, "depth_scale": 0.001}


def write_part(place, stem, mask=False):
    for name in ("rgb", "depth", "gt"):
        (place / name).mkdir(parents=True, exist_ok=True)
    depth = np.full((48, 64), 500, np.uint16)
    depth[:4] = 0
    Image.fromarray(depth).save(place / "depth" / f"{stem}.png")
    Image.new("RGB", (64, 48), (1, 2, 3)).save(place / "rgb" / f"{stem}.png")
    if mask:
        Image.new("L", (64, 48), 255).save(place / "gt" / f"{stem}.png")


@pytest.fixture
def recorder(tmp_path):
    """Depth parts in splits, with one camera."""
    root = tmp_path / "recorded"
    for place, mask in (("train/good", False), ("test/good", False), ("test/hole", True)):
        write_part(root / place, "7", mask)
    (root / "intrinsics.json").write_text(json.dumps(CAMERA))
    return root


def test_a_depth_folder_becomes_a_product_folder(recorder, tmp_path):
    skipped: list[str] = []
    write_product(tmp_path / "out", convert_depth_parts(list_depth_parts(recorder), skipped), {})
    folder = open_product_folder(tmp_path / "out")
    assert skipped == []
    assert [part.name for part in (*folder.train, *folder.test)] == [
        "train/good/7",
        "test/good/7",
        "test/hole/7",
    ]
    assert folder.test[1].mask is not None
    sample = folder.train[0].read()
    assert sample.rgb[0, 0].tolist() == [1, 2, 3]
    assert not sample.valid[:4].any()
    np.testing.assert_allclose(
        sample.xyz[10, 20], [(20 - 31.5) / 60 * 0.5, (10 - 23.5) / 61 * 0.5, 0.5], rtol=1e-6
    )


def test_a_flat_folder_is_one_of_good_parts(tmp_path):
    write_part(tmp_path / "flat", "1")
    (tmp_path / "flat" / "intrinsics.json").write_text(json.dumps(CAMERA))
    parts = list_depth_parts(tmp_path / "flat")
    assert [part.name for part in parts] == ["1"]
    write_product(tmp_path / "out", convert_depth_parts(parts, []), {})
    assert len(open_product_folder(tmp_path / "out").train) == 1


def test_a_place_may_have_its_own_camera(recorder):
    own = recorder / "test" / "hole" / "intrinsics.json"
    own.write_text(json.dumps(CAMERA | {"depth_scale": 0.002}))
    by_place = {part.place: part.intrinsics for part in list_depth_parts(recorder)}
    assert by_place["test/hole"] == own
    assert by_place["test/good"] == recorder / "intrinsics.json"


def test_no_camera_is_an_error_that_shows_the_layout(recorder):
    (recorder / "intrinsics.json").unlink()
    with pytest.raises(ValueError, match=r"no intrinsics\.json.*fx, fy, cx, cy"):
        list_depth_parts(recorder)


def test_unreadable_parts_are_skipped_with_their_reason(recorder):
    (recorder / "train" / "good" / "depth" / "7.png").write_bytes(b"no picture")
    skipped: list[str] = []
    assert len(list(convert_depth_parts(list_depth_parts(recorder), skipped))) == 2
    assert len(skipped) == 1
    assert skipped[0].startswith("train/good/7: ")


def test_a_depth_folder_is_a_product_folder_without_a_conversion(recorder, tmp_path):
    write_product(tmp_path / "out", convert_depth_parts(list_depth_parts(recorder), []), {})
    converted, direct = open_product_folder(tmp_path / "out"), open_product_folder(recorder)
    assert [part.name for part in direct.test] == [part.name for part in converted.test]
    assert direct.test[1].mask is not None
    np.testing.assert_array_equal(direct.train[0].read().xyz, converted.train[0].read().xyz)
    assert direct.sensor.intrinsics is not None
    report = check_dataset(recorder)
    assert (report.kind, report.products[0].findings) == ("a product folder", ())
    (recorder / "intrinsics.json").unlink()
    with pytest.raises(BadSample) as refused:
        open_product_folder(recorder).train[0].read()
    assert (refused.value.code, refused.value.field) == ("missing_field", "intrinsics")
