"""Both layouts, natural order, and what is said about what does not fit."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from models.readers.product_folder import PartFile, open_product_folder
from models.readers.product_places import NotAProductFolder
from models.sample import BadSample

RGB = np.arange(40 * 50 * 3, dtype=np.uint8).reshape(40, 50, 3)
XYZ = np.ones((40, 50, 3), np.float32)


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        file = folder / name
        if file.suffix.lower() in (".png", ".bmp", ".gif") or folder.name.lower() == "rgb":
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


def test_a_region_of_interest_is_no_part(tmp_path: Path) -> None:
    write(tmp_path, "1.png", "1.npy", "roi.png")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["1"]
    assert (folder.roi, folder.skipped) == (tmp_path / "roi.png", ())
    (tmp_path / "ROI.json").write_text("{}")
    both = open_product_folder(tmp_path)
    assert (both.roi, both.skipped) == (tmp_path / "ROI.json", ("roi.png: ROI.json is used instead.",))


def test_a_region_of_interest_in_a_folder_of_parts_is_said(tmp_path: Path) -> None:
    for name in ("train/good/rgb/1.png", "train/good/xyz/1.npy"):
        write(tmp_path / name.rpartition("/")[0], name.rpartition("/")[2])
    for place in ("train", "train/good", "train/good/rgb"):
        (tmp_path / place / "roi.json").write_text("{}")
    folder = open_product_folder(tmp_path)
    assert folder.roi is None
    assert sorted(note.split(":")[0] for note in folder.skipped) == [
        "train/good/rgb/roi.json",
        "train/good/roi.json",
        "train/roi.json",
    ]


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
    assert [note.split(":")[0] for note in folder.skipped] == ["c", "d"]
    assert "cloud" in folder.skipped[0]
    assert "image" in folder.skipped[1]


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
    assert folder.train[0].files["xyz"] == tmp_path / "1.tiff"
    assert [note.split(":")[0] for note in folder.skipped] == ["1.npy"]
    assert "1.tiff" in folder.skipped[0]


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


def test_good_beside_a_folder_a_defect(tmp_path: Path) -> None:
    for name in ("good", "dent", "scratch 10", "scratch 2"):
        write(tmp_path / name / "rgb", "1.png")
        write(tmp_path / name / "xyz", "1.tiff")
    write(tmp_path / "dent/gt", "1.png")
    (tmp_path / "notes").mkdir()
    folder = open_product_folder(tmp_path)
    assert [(part.name, part.split, part.defect) for part in folder.train] == [("good/1", "train", "good")]
    assert [part.name for part in folder.test] == ["dent/1", "scratch 2/1", "scratch 10/1"]
    assert [part.mask is not None for part in folder.test] == [True, False, False]
    assert [reason.split(":")[0] for reason in folder.skipped] == ["notes"]


@pytest.mark.parametrize("ending", ["tiff", "tif", "TIF", "PNG", "JPG"])
def test_images_of_any_ending_that_uploads_take(tmp_path: Path, ending: str) -> None:
    write(tmp_path / "RGB", f"1.{ending}")
    write(tmp_path / "Xyz", "1.TIFF")
    (part,) = open_product_folder(tmp_path).train
    sample = part.read()
    assert sample.missing is None
    assert sample.rgb.shape == RGB.shape


def test_folders_in_capitals(tmp_path: Path) -> None:
    write(tmp_path / "Train/Good/RGB", "1.png")
    write(tmp_path / "Train/Good/XYZ", "1.tiff")
    write(tmp_path / "TEST/Dent/RGB", "1.png")
    write(tmp_path / "TEST/Dent/XYZ", "1.tiff")
    folder = open_product_folder(tmp_path)
    assert [(part.name, part.defect) for part in folder.train] == [("train/good/1", "good")]
    assert [(part.name, part.defect) for part in folder.test] == [("test/Dent/1", "Dent")]


def test_names_pair_whatever_the_form_of_their_accents(tmp_path: Path) -> None:
    write(tmp_path / "rgb", unicodedata.normalize("NFD", "Gehäuse 7.png"))
    write(tmp_path / "xyz", unicodedata.normalize("NFC", "Gehäuse 7.tiff"))
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["Gehäuse 7"]
    assert "rgb" in folder.train[0].files
    assert folder.skipped == ()


def test_files_that_no_reader_takes_are_left_out_by_kind(tmp_path: Path) -> None:
    write(tmp_path / "rgb", "1.png", "2.webp", "3.webp")
    write(tmp_path / "xyz", "1.tiff", "2.tiff")
    for name in ("rgb/Thumbs.db", "rgb/.DS_Store", "xyz/1.csv", "readme.txt"):
        (tmp_path / name).write_bytes(b"x")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["1"]
    assert [reason.split(":")[0] for reason in folder.skipped] == ["rgb/2.webp", "xyz/1.csv", "2"]
    assert "WEBP" in folder.skipped[0]
    assert "1 more" in folder.skipped[0]


def test_a_folder_of_images_that_no_reader_takes_is_no_folder_without_images(tmp_path: Path) -> None:
    write(tmp_path / "rgb", "1.gif")
    write(tmp_path / "xyz", "1.tiff")
    with pytest.raises(NotAProductFolder, match="GIF"):
        open_product_folder(tmp_path)
    write(tmp_path / "flat", "1.gif", "1.tiff")
    assert [reason.split(":")[0] for reason in open_product_folder(tmp_path / "flat").skipped] == ["1.gif"]


def test_names_that_are_no_utf8_are_written_out(tmp_path: Path) -> None:
    old = os.fsdecode(b"Geh\xe4use 1")
    write(tmp_path / "good/rgb", f"{old}.png")
    write(tmp_path / "good/xyz", f"{old}.tiff", f"{old}b.tiff")
    write(tmp_path / os.fsdecode(b"L\xf6cher/rgb"), f"{old}.png")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["good/Geh\\xe4use 1"]
    assert [(part.name, part.defect) for part in folder.test] == [("L\\xf6cher/Geh\\xe4use 1", "L\\xf6cher")]
    assert folder.train[0].read().rgb.shape == RGB.shape
    for text in (*folder.skipped, *(part.name for part in (*folder.train, *folder.test))):
        assert text.encode()
    with pytest.raises(NotAProductFolder) as caught:
        open_product_folder(tmp_path / old)
    assert str(caught.value).encode()


def files_of(part: PartFile, root: Path) -> list[str | None]:
    """Image, cloud and mask, by their places in the product."""
    files = (part.files.get("rgb"), part.files.get("xyz"), part.mask)
    return [file and file.relative_to(root).as_posix() for file in files]


@pytest.mark.parametrize("masks", ["ground_truth", "Ground Truth", "test/ground_truth", "ground_truth/test"])
@pytest.mark.parametrize("ending", ["_mask", ""])
def test_the_layout_of_mvtec_ad(tmp_path: Path, masks: str, ending: str) -> None:
    for folder in ("train/good", "test/good", "test/color"):
        write(tmp_path / folder, "000.png", "001.png")
    write(tmp_path / masks / "color", f"000{ending}.png", f"001{ending}.png", f"7{ending}.png")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["train/good/000", "train/good/001"]
    assert [part.name for part in folder.test] == [
        *("test/good/000", "test/good/001", "test/color/000", "test/color/001")
    ]
    assert files_of(folder.test[3], tmp_path) == [
        "test/color/001.png",
        None,
        f"{masks}/color/001{ending}.png",
    ]
    assert folder.test[0].mask is None
    assert [reason.split(":")[0] for reason in folder.skipped] == [f"{masks}/color/7{ending}.png"]
    assert not folder.has_clouds


@pytest.mark.parametrize("rgb", ["rgb", "Color", "colour", "IMAGE", "images"])
@pytest.mark.parametrize("xyz", ["xyz", "Cloud", "clouds", "pointcloud", "Point Clouds", "point_cloud"])
def test_other_names_of_the_folders_of_images_and_clouds(tmp_path: Path, rgb: str, xyz: str) -> None:
    write(tmp_path / "Training/OK" / rgb, "1.PNG")
    write(tmp_path / "Training/OK" / xyz, "1.tiff")
    write(tmp_path / "val/good" / rgb, "1.PNG")
    write(tmp_path / "val/good" / xyz, "1.tiff")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["train/good/1"]
    assert [part.name for part in folder.validation] == ["validation/good/1"]
    assert files_of(folder.train[0], tmp_path)[:2] == [
        f"Training/OK/{rgb}/1.PNG",
        f"Training/OK/{xyz}/1.tiff",
    ]
    assert folder.skipped == ()


@pytest.mark.parametrize(
    ("image", "cloud", "name"),
    [
        ("000_rgb.png", "000_xyz.tiff", "000"),
        ("000.png", "000_xyz.tiff", "000"),
        ("color_000.png", "cloud-000.tiff", "000"),
        ("000.Image.png", "000.PointCloud.tiff", "000"),
        ("000_rgb.tiff", "000_xyz.tiff", "000"),
        ("part_image.png", "part_image.tiff", "part_image"),
        ("000.png", "000.ome.tiff", "000"),
        ("Part 7.png", "PART 7.tiff", "Part 7"),
        ("7.png", "0007.tiff", "7"),
        ("board 7 [left].png", "board 7 [left].tiff", "board 7 [left]"),
    ],
)
@pytest.mark.parametrize("side_by_side", [True, False])
def test_names_that_belong_together(
    tmp_path: Path, image: str, cloud: str, name: str, side_by_side: bool
) -> None:
    for folder, file in (("rgb", image), ("xyz", cloud)):
        write(tmp_path if side_by_side else tmp_path / folder, file)
    (part,) = open_product_folder(tmp_path).train
    assert part.name == name
    assert {field: file.name for field, file in part.files.items()} == {"rgb": image, "xyz": cloud}


def test_a_word_in_a_name_counts_only_if_another_file_needs_it(tmp_path: Path) -> None:
    write(tmp_path, "000_rgb.png", "001_rgb.png", "2_mask.png")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["000_rgb", "001_rgb"]
    assert [reason.split(":")[0] for reason in folder.skipped] == ["2_mask.png"]
    write(tmp_path, "2.png")
    parts = open_product_folder(tmp_path).train
    assert [part.name for part in parts] == ["000_rgb", "001_rgb", "2"]
    assert files_of(parts[2], tmp_path) == ["2.png", None, "2_mask.png"]


def test_names_that_differ_in_case_only_stay_two_parts(tmp_path: Path) -> None:
    write(tmp_path / "rgb", "a.png", "A.png")
    write(tmp_path / "xyz", "a.tiff", "A.tiff")
    folder = open_product_folder(tmp_path)
    assert [files_of(part, tmp_path)[1] for part in folder.train] == ["xyz/A.tiff", "xyz/a.tiff"]


def test_an_empty_folder_of_clouds_is_said(tmp_path: Path) -> None:
    write(tmp_path / "rgb", "1.png")
    (tmp_path / "xyz").mkdir()
    folder = open_product_folder(tmp_path)
    assert not folder.has_clouds
    assert [reason.split(":")[0] for reason in folder.skipped] == ["xyz"]


def test_everything_that_no_part_uses_is_said_once(tmp_path: Path) -> None:
    write(tmp_path / "train/good/rgb", "1.png", "2.png")
    write(tmp_path / "train/good/xyz", "1.tiff", "2.tiff")
    write(tmp_path / "train/good/old/rgb", "1.png")
    write(tmp_path / "train/good/rgb/raw", "1.png")
    write(tmp_path / "train/good/images", "1.png")
    write(tmp_path / "train", "1.png", "2.png")
    write(tmp_path / "backup", "1.png")
    write(tmp_path, "preview.png")
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration/camera.json").write_text("{}")
    (tmp_path / "train/good/rgb/3.png.lnk").write_bytes(b"L")
    (tmp_path / "train/good/xyz/lost.tiff").symlink_to(tmp_path / "gone.tiff")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["train/good/1", "train/good/2"]
    assert sorted(reason.split(":")[0] for reason in folder.skipped) == [
        *("backup", "preview.png", "train/1.png", "train/good/images", "train/good/old"),
        *("train/good/rgb/3.png.lnk", "train/good/rgb/raw", "train/good/xyz/lost.tiff"),
    ]


def test_parts_without_a_label_in_test_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "train/rgb", "1.png")
    write(tmp_path / "train/xyz", "1.tiff")
    write(tmp_path / "test/rgb", "1.png")
    write(tmp_path / "test/xyz", "1.tiff")
    folder = open_product_folder(tmp_path)
    assert [(part.name, part.defect) for part in folder.train] == [("train/1", "good")]
    assert folder.test == ()
    assert [reason.split(":")[0] for reason in folder.skipped] == ["test"]


@pytest.mark.parametrize("fields", [{"depth": "Depth"}, {"x": "x", "y": "Y", "z": "z"}, {"xyz": "xyz"}])
@pytest.mark.parametrize("side_by_side", [True, False])
def test_depth_maps_and_planes_of_a_cloud(tmp_path: Path, fields: dict[str, str], side_by_side: bool) -> None:
    for field, word in ({"rgb": "color"} | fields).items():
        for number in ("000", "001"):
            ending = "png" if field in ("rgb", "depth") else "tiff"
            if side_by_side:
                write(tmp_path, f"{number}_{word}.{ending}")
            else:
                write(tmp_path / word, f"{number}.{ending}")
    folder = open_product_folder(tmp_path)
    assert [(part.name, set(part.files)) for part in folder.train] == [
        ("000", {"rgb", *fields}),
        ("001", {"rgb", *fields}),
    ]
    assert folder.skipped == ()
    assert folder.has_clouds


@pytest.mark.parametrize("side_by_side", [True, False])
def test_of_two_kinds_of_clouds_one_is_used(tmp_path: Path, side_by_side: bool) -> None:
    for word, ending in (("rgb", "png"), ("depth", "png"), ("xyz", "tiff")):
        for number in (1, 2):
            write(
                *(
                    (tmp_path, f"{number}_{word}.{ending}")
                    if side_by_side
                    else (tmp_path / word, f"{number}.{ending}")
                )
            )
    folder = open_product_folder(tmp_path)
    assert [set(part.files) for part in folder.train] == [{"rgb", "xyz"}] * 2
    named = "1_depth.png" if side_by_side else "depth"
    assert [reason.split(":")[0] for reason in folder.skipped] == [named]


@pytest.mark.parametrize("side_by_side", [True, False])
def test_a_part_without_one_of_its_planes_is_left_out(tmp_path: Path, side_by_side: bool) -> None:
    for plane in "xyz":
        for number in (1, 2) if plane != "y" else (1,):
            write(
                *(
                    (tmp_path, f"{number}_{plane}.tiff")
                    if side_by_side
                    else (tmp_path / plane, f"{number}.tiff")
                )
            )
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["1"]
    assert {reason.split(":")[0] for reason in folder.skipped} >= {"2"}


def test_files_beside_the_folders_of_images_and_clouds_are_said(tmp_path: Path) -> None:
    write(tmp_path / "rgb", "1.png")
    write(tmp_path / "xyz", "1.tiff")
    write(tmp_path, "preview.png")
    folder = open_product_folder(tmp_path)
    assert [part.name for part in folder.train] == ["1"]
    assert [reason.split(":")[0] for reason in folder.skipped] == ["preview.png"]
