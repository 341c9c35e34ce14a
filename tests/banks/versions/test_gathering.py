"""Good parts that come in small numbers, as copies, in grey, or in fewer bits than their files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from banks.detector import Detector, PartResult
from banks.versions.builder import Builder, BuildError
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.readers import read_files
from models.readers.product_folder import open_product_folder
from recipes.profiles import find_profile
from tests.conftest import SMALL
from tests.models.readers.image_kinds import deep, deep_png

Change = Callable[[Path, int], None]
"""Changes the image at a path; the second value is the part's number."""


def good_parts(small_product: Path, folder: Path, *numbers: int, change: Change | None = None) -> Path:
    """A folder of good training parts of the small product; a number that comes again is a copy."""
    for place, number in enumerate(numbers):
        for kind, suffix in (("rgb", "png"), ("xyz", "tiff")):
            target = folder / kind / f"{place}.{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(small_product / "train" / "good" / kind / f"{number:03}.{suffix}", target)
        if change is not None:
            change(folder / "rgb" / f"{place}.png", place)
    return folder


def built(folder: Path, banks: Path, profile: str = "embedded-rgb") -> Path:
    """The version that is built of the folder."""
    store = BankStore(banks)
    Builder(find_profile(profile), store).build(SMALL, open_product_folder(folder))
    return store.path(SMALL)


def test_frames_of_a_frozen_camera_are_refused(small_product: Path, tmp_path: Path) -> None:
    folder = good_parts(small_product, tmp_path / "parts", 0, 0, 0)
    with pytest.raises(BuildError, match=r"1 usable good part.*1 has those of 0.*frozen"):
        built(folder, tmp_path / "banks")


def test_a_version_does_not_depend_on_how_many_parts_are_extracted_side_by_side(
    small_product: Path, tmp_path: Path
) -> None:
    """Copies and unusable parts among them, in one split and across."""
    for split, numbers in (("train", (0, 0, 1, 2, 0, 3)), ("validation", (1, 4))):
        good_parts(small_product, tmp_path / split / "good", *numbers)
    (tmp_path / "train/good/rgb/2.png").write_bytes(b"no image")
    manifests = []
    for at_once in (1, 3):
        store = BankStore(tmp_path / f"banks-{at_once}")
        builder = Builder(find_profile("embedded-rgb"), store, at_once=at_once)
        builder.build(SMALL, open_product_folder(tmp_path))
        manifests.append(Manifest.read(store.path(SMALL)))
    one, three = manifests
    assert len(one.skipped_parts) == 3
    assert one.training_parts == tuple(f"train/good/{number}" for number in (0, 3, 5))
    for fact in ("files", "kept", "calibration", "training_parts", "skipped_parts", "decision"):
        assert getattr(one, fact) == getattr(three, fact), fact


def test_copies_are_named_and_not_held_out(small_product: Path, tmp_path: Path) -> None:
    for split, numbers in (("train", (0, 1, 1)), ("validation", (1, 0, 2))):
        good_parts(small_product, tmp_path / split / "good", *numbers)
    manifest = Manifest.read(built(tmp_path, tmp_path / "banks"))
    assert manifest.training_parts == ("train/good/0", "train/good/1")
    assert manifest.skipped_parts.keys() == {"train/good/2", "validation/good/0", "validation/good/1"}
    assert "train/good/0" in manifest.skipped_parts["validation/good/1"]
    assert manifest.calibration.count == 3


def test_a_copy_of_a_kept_part_is_no_new_part(small_product: Path, tmp_path: Path) -> None:
    first = built(good_parts(small_product, tmp_path / "parts", 0, 1), tmp_path / "banks")
    store = BankStore(tmp_path / "banks")
    folder = open_product_folder(good_parts(small_product, tmp_path / "more", 1, 2))
    Builder.like(store, SMALL).build(SMALL, folder, extends=first.name)
    manifest = Manifest.read(store.path(SMALL))
    assert manifest.training_parts == ("0", "1", "1~2")
    assert manifest.skipped_parts.keys() == {"0"}


def test_a_copy_of_a_kept_validation_part_is_not_learned(small_product: Path, tmp_path: Path) -> None:
    good_parts(small_product, tmp_path / "parts/train/good", 0, 1)
    good_parts(small_product, tmp_path / "parts/validation/good", 2)
    first = built(tmp_path / "parts", tmp_path / "banks")
    store = BankStore(tmp_path / "banks")
    folder = open_product_folder(good_parts(small_product, tmp_path / "more", 2))
    Builder.like(store, SMALL).build(SMALL, folder, extends=first.name)
    manifest = Manifest.read(store.path(SMALL))
    assert manifest.skipped_parts.keys() == {"0"}
    assert manifest.calibration == Manifest.read(first).calibration


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_parts_say_what_they_show(small_product: Path, tmp_path: Path, count: int) -> None:
    folder = good_parts(small_product, tmp_path / "parts", *range(count))
    if count == 1:
        with pytest.raises(BuildError):
            built(folder, tmp_path / "banks")
        return
    calibration = Manifest.read(built(folder, tmp_path / "banks")).calibration
    assert (calibration.count, calibration.basis) == (count, "extrapolated")
    assert calibration.rejected_share[1] > 0.999 * (1 - 0.05 ** (1 / count)), "two parts leave 78 % possible"
    assert calibration.threshold > max(calibration.scores)


def test_one_image_for_all_clouds_is_refused(small_product: Path, tmp_path: Path) -> None:
    first = small_product / "train" / "good" / "rgb" / "000.png"

    def frozen(image: Path, number: int) -> None:
        shutil.copy(first, image)

    folder = good_parts(small_product, tmp_path / "parts", 0, 1, 2, change=frozen)
    with pytest.raises(BuildError, match="clouds differ"):
        built(folder, tmp_path / "banks")


def test_blank_images_stand_for_no_camera(small_product: Path, tmp_path: Path) -> None:
    def blank(image: Path, number: int) -> None:
        Image.fromarray(np.full_like(np.asarray(Image.open(image)), 128)).save(image)

    folder = good_parts(small_product, tmp_path / "parts", 0, 1, 2, change=blank)
    detector = Detector.load(built(folder, tmp_path / "banks", "embedded"))
    assert detector.manifest.calibration.count == 3
    good = good_parts(small_product, tmp_path / "good", 4, change=blank)
    (result,) = detector.score([part.read() for part in open_product_folder(good).train])
    assert isinstance(result, PartResult)
    assert result.decision == "good"


def test_one_cloud_for_all_images_is_said(small_product: Path, tmp_path: Path) -> None:
    folder = good_parts(small_product, tmp_path / "parts", 0, 1)
    shutil.copy(folder / "xyz" / "0.tiff", folder / "xyz" / "1.tiff")
    (remark,) = Manifest.read(built(folder, tmp_path / "banks")).remarks
    assert remark.startswith("The cloud of all good parts is the same")


def test_nearly_black_images_and_clouds_with_other_axes_are_named(
    small_product: Path, tmp_path: Path
) -> None:
    def changed(image: Path, number: int) -> None:
        if number:
            Image.fromarray(np.asarray(Image.open(image)) // 20).save(image)
        if number < 2:
            file = image.parent.parent / "xyz" / f"{number}.tiff"
            tifffile.imwrite(file, tifffile.imread(file)[..., ::-1], photometric="rgb")

    folder = good_parts(small_product, tmp_path / "parts", 0, 1, 2, change=changed)
    dark, sideways = Manifest.read(built(folder, tmp_path / "banks")).remarks
    assert "2 good parts is nearly black: 1, 2" in dark
    assert "2 good parts (0, 1)" in sideways


def test_an_undeclared_number_for_no_return_is_said_until_it_is_declared(
    small_product: Path, tmp_path: Path
) -> None:
    def marked(image: Path, number: int) -> None:
        file = image.parent.parent / "xyz" / f"{number}.tiff"
        xyz = tifffile.imread(file)
        xyz[::6, ::5, 2] = -10
        tifffile.imwrite(file, xyz, photometric="rgb")

    folder = good_parts(small_product, tmp_path / "parts", 0, 1, change=marked)
    (remark,) = Manifest.read(built(folder, tmp_path / "banks")).remarks
    assert "2 good parts (0, 1)" in remark
    assert "-10 m" in remark
    (folder / "sensor.json").write_text('{"invalid": -10}')
    assert Manifest.read(built(folder, tmp_path / "banks")).remarks == ()


def grey(image: Path, number: int) -> None:
    Image.open(image).convert("L").save(image)


def twelve_bits(image: Path, number: int) -> None:
    image.write_bytes(deep_png(deep(np.asarray(Image.open(image).convert("L")), 12)))


def test_twelve_bits_make_the_banks_of_eight(small_product: Path, tmp_path: Path) -> None:
    versions = {
        change: Manifest.read(
            built(good_parts(small_product, tmp_path / name, 0, 1, change=change), tmp_path / f"{name}-banks")
        )
        for name, change in (("grey", grey), ("deep", twelve_bits))
    }
    assert versions[twelve_bits].sensor.image_bits == 12
    assert versions[grey].sensor.image_bits is None
    assert versions[twelve_bits].files["rgb.faiss"] == versions[grey].files["rgb.faiss"]
    assert versions[twelve_bits].profile == versions[grey].profile, "what follows the product"


def test_a_grey_camera_makes_a_product_that_finds_defects(small_product: Path, tmp_path: Path) -> None:
    detector = Detector.load(
        built(
            good_parts(small_product, tmp_path / "parts", 0, 1, 2, 3, change=grey),
            tmp_path / "banks",
            "embedded",
        )
    )
    good = next(part for part in open_product_folder(small_product).test if part.defect == "good")
    image = np.array(Image.open(good.files["rgb"]).convert("L"))
    marked = image.copy()
    marked[190:210, 190:210] = 0
    scores = []
    for picture in (image, marked):
        Image.fromarray(picture).save(tmp_path / "part.bmp")
        (result,) = detector.score([read_files({"rgb": tmp_path / "part.bmp", "xyz": good.files["xyz"]})])
        assert isinstance(result, PartResult)
        scores.append((result.score, result.decision))
    assert [decision for _, decision in scores] == ["good", "defective"], scores
