from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from evaluation.metrics.map_folder import MapPairs, is_blurred, match_maps, nearest, read_map, read_mask


def write_mask(path, mask=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.eye(4, dtype=np.uint8) if mask is None else mask) * np.uint8(255)).save(path)


def write_map(path, values=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((4, 4), np.float32) if values is None else values)


def test_masks_are_found_under_the_usual_names(tmp_path):
    for name in ("a", "crack/1", "crack/2", "crack/3", "good/4"):
        write_map(tmp_path / "maps" / f"{name}.npy")
    for name in ("a.png", "crack/1.png", "crack/2_mask.png", "crack/gt/3.png", "crack/rgb/3.png", "else.png"):
        write_mask(tmp_path / "masks" / name)
    match = match_maps(tmp_path / "maps", tmp_path / "masks")
    found = {
        row.name: row.mask_path and row.mask_path.relative_to(tmp_path / "masks").as_posix()
        for row in match.maps
    }
    assert found == {
        "a": "a.png", "crack/1": "crack/1.png", "crack/2": "crack/2_mask.png", "crack/3": "crack/gt/3.png",
        "good/4": None,
    }  # fmt: skip
    assert match.unmasked == ("good/4",)
    assert [path.name for path in match.unused] == ["else.png"]


def test_pairs_remember_what_the_size_does(tmp_path):
    write_map(tmp_path / "maps" / "0.npy")
    write_map(tmp_path / "maps" / "1.npy")
    write_mask(tmp_path / "masks" / "0.png", np.eye(8, dtype=np.uint8))
    speck = np.zeros((8, 8), np.uint8)
    speck[0, 0] = 1  # the nearest-pixel grid of 4 reads rows 1, 3, 5, 7
    write_mask(tmp_path / "masks" / "1.png", speck)
    pairs = MapPairs(match_maps(tmp_path / "maps", tmp_path / "masks").maps)
    masks = [mask for _, mask in pairs]
    assert [mask.sum() for mask in masks] == [4, 0]
    assert (pairs.defective, pairs.resized, pairs.vanished) == ([True, True], 2, ["1"])


@pytest.mark.parametrize(("old", "new"), [((900, 400), (224, 224)), ((20, 31), (36, 13))])
def test_resizing_is_the_published_loaders(old, new):
    mask = np.random.default_rng(0).random(old) > 0.7
    row, column = (
        ((np.arange(there) + 0.5) * here / there).astype(int) for here, there in zip(old, new, strict=True)
    )
    theirs = mask[np.ix_(row, column)]  # torchvision Resize(NEAREST) on a PIL image: the pixel at the centre
    np.testing.assert_array_equal(nearest(mask, new), theirs)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "P", "RGB", "RGBA", "LA"])
def test_a_mask_of_any_kind_marks_what_is_not_black(tmp_path, mode):
    expected = np.eye(4, dtype=bool)
    grey = Image.fromarray(expected.astype(np.uint8) * np.uint8(255))
    image = Image.fromarray(expected.astype(np.uint16)) if mode == "I;16" else grey.convert(mode)
    image.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), expected)


def test_a_mask_of_small_numbers_is_a_mask(tmp_path):
    Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), np.eye(4, dtype=bool))


def test_maps_keep_their_type_and_lose_empty_axes(tmp_path):
    values = np.arange(6, dtype=np.float64).reshape(1, 2, 3) / 3
    np.save(tmp_path / "a.npy", values)
    tifffile.imwrite(tmp_path / "b.tiff", values[0].astype(np.float32))
    np.testing.assert_array_equal(read_map(tmp_path / "a.npy"), values[0])
    np.testing.assert_array_equal(read_map(tmp_path / "b.tiff"), values[0].astype(np.float32))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.zeros((2, 2, 3)), r"holds \(2, 2, 3\)"),
        (np.array([[np.nan, 0.0]]), "holds NaN"),
        (np.array([["a"]]), "H x W real numbers"),
        (np.array([[1j]]), "H x W real numbers"),
        (np.array([None]), "cannot be read as a map"),
    ],
)
def test_an_unusable_map_is_named(tmp_path, values, sentence):
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    with pytest.raises(ValueError, match=rf"a\.npy.*{sentence}"):
        read_map(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.npy", "a.tiff"])
def test_a_file_of_another_kind_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"not what it says")
    with pytest.raises(ValueError, match=f"{name} cannot be read as a map"):
        read_map(tmp_path / name)
    with pytest.raises(ValueError, match=f"{name} cannot be read as a mask"):
        read_mask(tmp_path / name)


def test_folders_are_checked(tmp_path):
    with pytest.raises(ValueError, match="maps is not a folder"):
        match_maps(tmp_path / "maps", tmp_path)
    (tmp_path / "maps").mkdir()
    with pytest.raises(ValueError, match=r"\.npy or \.tiff"):
        match_maps(tmp_path / "maps", tmp_path)
    write_map(tmp_path / "maps" / "a.npy")
    tifffile.imwrite(tmp_path / "maps" / "a.tiff", np.zeros((4, 4), np.float32))
    with pytest.raises(ValueError, match="same name a"):
        match_maps(tmp_path / "maps", tmp_path)


def test_a_mask_stored_as_jpeg_grows_by_no_halo(tmp_path):
    disc = np.hypot(*np.mgrid[-32:32, -32:32]) < 11
    Image.fromarray(np.where(disc, 255, 0).astype(np.uint8)).save(tmp_path / "mask.jpg")
    mask = read_mask(tmp_path / "mask.jpg")
    assert abs(int(mask.sum()) - int(disc.sum())) < 0.02 * disc.sum()
    assert is_blurred(tmp_path / "mask.jpg")


def test_a_mask_of_labels_keeps_every_label(tmp_path):
    labels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    Image.fromarray(labels).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), labels > 0)
    assert not is_blurred(tmp_path / "mask.png")
