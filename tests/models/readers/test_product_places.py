"""A product is found where it is, and what lies beside it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.readers.product_folder import open_product_folder
from models.readers.product_places import NotAProductFolder, SeveralProducts, find_products


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize("place", ["p", "line 3 [left]/p", "a/b/c/d"])
@pytest.mark.parametrize("inside", ["good/1.png", "rgb/1.png", "train/good/rgb/1.png", "1.png"])
def test_a_product_some_folders_below(tmp_path: Path, place: str, inside: str) -> None:
    touch(tmp_path, f"{place}/{inside}", "readme.txt", ".cache/rgb/0.png", "__MACOSX/p/rgb/._1.png")
    assert find_products(tmp_path).roots == {place: tmp_path / place}
    assert len(open_product_folder(tmp_path).train) == 1
    assert open_product_folder(tmp_path).skipped == ()


def test_several_products_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "valve/good/1.png", "line 2/seal/train/good/1.png")
    with pytest.raises(SeveralProducts) as caught:
        open_product_folder(tmp_path)
    assert caught.value.names == ("line 2/seal", "valve")


def test_a_folder_without_parts_names_what_it_holds(tmp_path: Path) -> None:
    touch(tmp_path, "parts.zip", "notes.txt")
    with pytest.raises(NotAProductFolder, match=r"parts\.zip"):
        open_product_folder(tmp_path)


def test_files_beside_a_product_are_left_out_and_said(tmp_path: Path) -> None:
    touch(tmp_path, "p/rgb/1.png", "preview.png", "thumbnail.png", "docs/photo.jpg", "docs/readme.txt")
    found = find_products(tmp_path)
    assert list(found.roots) == ["p"]
    assert [reason.split(":")[0] for reason in found.left_out] == ["preview.png", "docs"]


@pytest.mark.parametrize("name", ["roi.json", "roi.png", "sensor.json", "intrinsics.json"])
@pytest.mark.parametrize("place", ["", "line 3/"])
@pytest.mark.parametrize("products", [("p",), ("p", "q")])
def test_words_about_a_product_beside_its_folder_are_said(
    name: str, place: str, products: tuple[str, ...], tmp_path: Path
) -> None:
    touch(tmp_path, f"{place}{name}", *(f"{place}{product}/rgb/1.png" for product in products))
    found = find_products(tmp_path)
    assert list(found.roots) == [f"{place}{product}" for product in products]
    assert [reason.split(":")[0] for reason in found.left_out] == [f"{place}{name}"]


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "store/valve/rgb/1.png")
    (tmp_path / "line").mkdir()
    (tmp_path / "line/today").symlink_to(tmp_path / "store/valve")
    (tmp_path / "line/up").symlink_to(tmp_path / "line")
    assert list(find_products(tmp_path / "line").roots) == ["today"]
