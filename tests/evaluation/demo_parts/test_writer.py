"""Demo parts on disk: layout, bytes, what is kept and what is refused."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
from pathlib import Path

import numpy as np
import pytest
import tifffile
import typer
from PIL import Image
from typer.testing import CliRunner

from cli.demo_parts import demo_parts
from evaluation.demo_parts import writer
from evaluation.demo_parts.generators import MESHES
from evaluation.demo_parts.keys import PartKey
from evaluation.demo_parts.products import PRODUCTS
from evaluation.demo_parts.resize import Size
from evaluation.demo_parts.writer import write_demo_parts
from evaluation.mesh_parts import VERSION
from evaluation.mesh_parts.products import PRODUCTS as MESH_PRODUCTS

COUNTS = {"train": 1, "validation": 1, "test": 5}


def write_lids(out: Path, *, seed: int = 0, train: int = 1, validation: int = 0, test: int = 0) -> Path:
    (folder,) = write_demo_parts(
        out, products=["lid"], seed=seed, train=train, validation=validation, test=test
    )
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def lid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lids(tmp_path_factory.mktemp("parts"), **COUNTS)


def test_the_layout_is_that_of_mvtec(lid: Path) -> None:
    assert {path.name for path in lid.iterdir()} == {"train", "validation", "test", "parts.json"}
    for split in ("train", "validation"):
        assert [path.name for path in (lid / split).iterdir()] == ["good"]
        assert {path.name for path in (lid / split / "good").iterdir()} == {"rgb", "xyz"}
    kinds = {path.name for path in (lid / "test").iterdir()}
    assert kinds == {"good", *PRODUCTS["lid"].defects[:3]}
    for kind in kinds:
        names = {
            item: sorted(p.name for p in (lid / "test" / kind / item).iterdir())
            for item in ("rgb", "xyz", "gt")
        }
        assert names["rgb"] == names["gt"]
        assert [Path(name).stem for name in names["xyz"]] == [Path(name).stem for name in names["rgb"]]
    assert (lid / "test" / "good" / "xyz" / "001.tiff").is_file()


def test_files_have_the_types_that_readers_expect(lid: Path) -> None:
    shape = (PRODUCTS["lid"].rows, PRODUCTS["lid"].cols)
    for kind in (lid / "test").iterdir():
        xyz = tifffile.imread(kind / "xyz" / "000.tiff")
        rgb, gt = (np.asarray(Image.open(kind / item / "000.png")) for item in ("rgb", "gt"))
        assert (xyz.dtype, xyz.shape) == (np.float32, (*shape, 3))
        assert (rgb.dtype, rgb.shape) == (np.uint8, (*shape, 3))
        assert (gt.dtype, gt.shape) == (np.uint8, shape)
        assert set(np.unique(gt)) == ({0} if kind.name == "good" else {0, 255})


def test_the_record_says_how_to_make_the_folder_again(lid: Path) -> None:
    record = json.loads((lid / "parts.json").read_text())
    assert record["seed"] == 0
    assert record["counts"] == COUNTS
    assert record["licence"] == "CC0-1.0"
    assert record["families"]["scratch"] == "colour"
    assert set(record["families"]) == set(PRODUCTS["lid"].defects)


def test_a_part_does_not_depend_on_how_many_there_are(lid: Path, tmp_path: Path) -> None:
    again, before = digests(write_lids(tmp_path, train=2)), digests(lid)
    assert again["train/good/rgb/000.png"] == before["train/good/rgb/000.png"]
    assert again["train/good/xyz/000.tiff"] == before["train/good/xyz/000.tiff"]
    assert again["train/good/xyz/000.tiff"] != again["train/good/xyz/001.tiff"]


def test_a_cloud_that_is_cut_off_tells_the_reason(tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk that fills up within the file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            writer._write_part((tmp_path, "heights", PartKey(0, "lid", "train", "good", 0), Size(), None))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_pool_writes_the_same_bytes(lid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WORTH_A_POOL", 1)
    seen: list[tuple[int, int]] = []
    write_demo_parts(
        tmp_path,
        products=["lid"],
        train=1,
        validation=1,
        test=5,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert digests(tmp_path / "lid") == digests(lid)
    assert seen == [(done, 7) for done in range(8)]


def test_the_second_generator_writes_the_same_layout(lid: Path, tmp_path: Path) -> None:
    (folder,) = write_demo_parts(
        tmp_path, products=["sprocket"], train=1, validation=0, test=3, generator=MESHES, size=Size(2, 0.001)
    )
    record = json.loads((folder / "parts.json").read_text())
    assert (record["meshes_version"], record["families"]["warp"]) == (VERSION, "shape")
    assert set(record) - {"scale", "thickness"} == {
        *json.loads((lid / "parts.json").read_text()),
        "meshes_version",
    }
    xyz = tifffile.imread(folder / "train" / "good" / "xyz" / "000.tiff")
    product = MESH_PRODUCTS["sprocket"]
    assert (xyz.dtype, xyz.shape) == (np.float32, (product.rows, product.cols, 3))
    assert np.median(xyz[xyz[..., 2] > 0][:, 2]) == pytest.approx(2 * product.distance, rel=0.1)
    assert {path.name for path in (folder / "test").iterdir()} == {"good", *product.defects[:2]}
    with pytest.raises(ValueError, match="meshes"):
        write_demo_parts(tmp_path, products=["lid"], generator=MESHES)


def test_parts_of_another_size_are_made_of_parts_as_they_are_rendered(lid: Path, tmp_path: Path) -> None:
    """lid: has these parts, and others."""
    flat = Size(3, 0.001)

    def written(out: Path, rendered: Path | None) -> Path:
        (folder,) = write_demo_parts(
            out, products=["lid"], train=1, validation=0, test=3, size=flat, rendered=rendered
        )
        return folder

    assert digests(written(tmp_path / "once", lid.parent)) == digests(written(tmp_path / "again", None))


def test_a_complete_folder_is_kept_and_other_settings_replace_it(tmp_path: Path) -> None:
    folder = write_lids(tmp_path)
    (folder / "note").write_text("still here")
    write_lids(tmp_path)
    assert (folder / "note").exists()
    before = digests(folder)["train/good/xyz/000.tiff"]
    write_lids(tmp_path, seed=1)
    assert not (folder / "note").exists()
    assert digests(folder)["train/good/xyz/000.tiff"] != before
    assert [path.name for path in tmp_path.iterdir()] == ["lid"]


def test_a_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lid").mkdir()
    (tmp_path / "lid" / "holiday.png").write_bytes(b"")
    with pytest.raises(FileExistsError, match="not written by demo-parts"):
        write_lids(tmp_path)


def test_unknown_products_and_negative_counts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="biscuit"):
        write_demo_parts(tmp_path, products=["unicorn"])
    with pytest.raises(ValueError, match="negative"):
        write_demo_parts(tmp_path, train=-1)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_what_it_is_asked_for(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(demo_parts)
    asked = [str(tmp_path), "--product", "lid", "--train", "1", "--validation", "0", "--test", "0"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0
    assert str(tmp_path / "lid") in result.stdout.replace("\n", "")
    assert (tmp_path / "lid" / "train" / "good" / "rgb" / "000.png").is_file()
    assert CliRunner().invoke(app, [str(tmp_path), "--product", "unicorn"]).exit_code == 2
    assert (
        CliRunner().invoke(app, [str(tmp_path), "--generator", "meshes", "--product", "lid"]).exit_code == 2
    )
    asked = [str(tmp_path / "m"), "--generator", "meshes", "--product", "cap", "--train", "1"]
    assert CliRunner().invoke(app, [*asked, "--validation", "0", "--test", "0"]).exit_code == 0
    assert (tmp_path / "m" / "cap" / "train" / "good" / "rgb" / "000.png").is_file()
