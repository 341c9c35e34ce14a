"""Both layouts, natural order, and what is said about what does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from models.product_folder import NotAProductFolder, open_product_folder
from models.sample import BadSample

RGB = np.arange(40 * 50 * 3, dtype=np.uint8).reshape(40, 50, 3)
XYZ = np.ones((40, 50, 3), np.float32)


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        file = folder / name
        if file.suffix == ".png":
            Image.fromarray(RGB).save(file)
        elif file.suffix == ".npy":
            np.save(file, XYZ)
        elif file.suffix == ".npz":
            np.savez(file, rgb=RGB, xyz=XYZ)
        else:
            tifffile.imwrite(file, XYZ, photometric="rgb")


def test_the_mvtec_layout(tmp_path: Path) -> None:
    for folder in ("train/good", "validation/good", "test/hole", "test/good"):
        write(tmp_path / folder / "rgb", "10.png", "2.png")
        write(tmp_path / folder / "xyz", "10.tiff", "2.tiff")
    write(tmp_path / "test/hole/gt", "2.png", "10.png")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["train/good/2", "train/good/10"]
    assert [part.name for part in folder.validation] == ["validation/good/2", "validation/good/10"]
    assert [part.name for part in folder.test] == [
        "test/good/2",
        "test/good/10",
        "test/hole/2",
        "test/hole/10",
    ]
    assert [part.defect for part in folder.test] == ["good", "good", "hole", "hole"]
    assert [part.mask is not None for part in folder.test] == [False, False, True, True]
    assert folder.skipped == ()
    sample = folder.test[0].read()
    np.testing.assert_array_equal(sample.rgb, RGB)
    np.testing.assert_array_equal(sample.xyz, XYZ)


@pytest.mark.parametrize("cloud", ["npy", "tiff"])
def test_pairs_in_one_folder_are_good_parts(tmp_path: Path, cloud: str) -> None:
    write(tmp_path, "1.png", f"1.{cloud}")
    folder = open_product_folder(tmp_path)
    assert [(part.name, part.split, part.defect) for part in folder.train] == [("1", "train", "good")]
    assert folder.train[0].read().valid.all()


def test_rgb_and_xyz_beside_each_other(tmp_path: Path) -> None:
    write(tmp_path / "rgb", "a.png", "b.png", "c.png")
    write(tmp_path / "xyz", "a.tiff", "b.tiff", "d.tiff")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["a", "b"]
    assert folder.skipped == ("c: has no cloud.", "d: has no image.")


def test_npz_parts(tmp_path: Path) -> None:
    write(tmp_path, "1.npz", "2.npz")
    folder = open_product_folder(tmp_path)
    assert len(folder.train) == 2
    np.testing.assert_array_equal(folder.train[1].read().rgb, RGB)


def test_a_product_recorded_without_cloud_or_without_image(tmp_path: Path) -> None:
    write(tmp_path / "flat/train/good/rgb", "1.png")
    flat = open_product_folder(tmp_path / "flat")
    assert not flat.has_clouds
    assert flat.train[0].read().missing == "xyz"
    write(tmp_path / "grey/train/good/xyz", "1.tiff")
    grey = open_product_folder(tmp_path / "grey")
    assert grey.has_clouds
    assert grey.train[0].read().missing == "rgb"


def test_two_clouds_of_one_name(tmp_path: Path) -> None:
    write(tmp_path, "1.png", "1.tiff", "1.npy")
    folder = open_product_folder(tmp_path)
    assert folder.train[0].xyz == tmp_path / "1.tiff"
    assert folder.skipped == ("1.npy: 1.tiff was taken instead.",)


def test_train_holds_good_parts_only(tmp_path: Path) -> None:
    write(tmp_path / "train/good", "1.npz")
    write(tmp_path / "train/hole", "1.npz")
    folder = open_product_folder(tmp_path)
    assert len(folder.train) == 1
    assert len(folder.skipped) == 1


@pytest.mark.parametrize("name", [".", "missing"])
def test_no_parts(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotAProductFolder, match=r"train/good/rgb/000\.png"):
        open_product_folder(tmp_path / name)


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    write(tmp_path, "7.png", "7.tiff")
    (tmp_path / "7.tiff").write_bytes(b"II*\x00" + bytes(100))
    with pytest.raises(BadSample, match=r"^7: ") as refused:
        open_product_folder(tmp_path).train[0].read()
    assert refused.value.code == "unreadable"
