from __future__ import annotations

import pytest
from PIL import Image

from evaluation.datasets.collection import open_products
from models.readers.product_places import NotAProductFolder


@pytest.fixture
def user_folder(tmp_path):
    """good/ with ten images, scratch/ with two and a mask, notes/ with none."""
    root = tmp_path / "valve"
    for name, count in (("good", 10), ("scratch", 2), ("notes", 0)):
        (root / name).mkdir(parents=True)
        for index in range(count):
            Image.new("RGB", (40, 40)).save(root / name / f"{index}.png")
    (root / "scratch" / "gt").mkdir()
    Image.new("L", (40, 40), 255).save(root / "scratch" / "gt" / "0.png")
    return root


def test_a_user_folder_is_split_by_a_seeded_draw(user_folder):
    folder = open_products(user_folder)["valve"]
    assert (len(folder.train), len(folder.validation)) == (7, 0)
    assert [part.defect for part in folder.test] == ["good"] * 3 + ["scratch"] * 2
    assert folder.test[3].name == "scratch/0"
    assert [part.mask is not None for part in folder.test[3:]] == [True, False]
    assert [note.partition(":")[0] for note in folder.skipped] == ["notes"]
    assert open_products(user_folder)["valve"] == folder
    names = {part.name for part in open_products(user_folder, seed=1)["valve"].train}
    assert names != {part.name for part in folder.train}


def test_nothing_is_both_learnt_from_and_tested_on(user_folder):
    folder = open_products(user_folder)["valve"]
    assert not {part.files["rgb"] for part in folder.train} & {part.files["rgb"] for part in folder.test}


def test_one_good_part_is_not_enough(user_folder):
    for index in range(1, 10):
        (user_folder / "good" / f"{index}.png").unlink()
    with pytest.raises(NotAProductFolder, match="two are needed"):
        open_products(user_folder)


def test_a_folder_of_products_and_a_product_both_open(tmp_path, mvtec3d_category, user_folder):
    mvtec3d_category(tmp_path / "rope", (90, 40))
    assert list(open_products(tmp_path)) == ["rope", "valve"]
    assert len(open_products(tmp_path / "rope")["rope"].test) == 3


def test_good_parts_alone_can_be_learnt_from(user_folder):
    folder = open_products(user_folder / "good")["good"]
    assert (len(folder.train), len(folder.test)) == (10, 0)


def test_nothing_known_is_an_error(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotAProductFolder):
            open_products(path)
