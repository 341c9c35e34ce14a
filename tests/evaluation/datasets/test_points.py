from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.datasets.points import PARTS_READ, measure_points
from models.readers.product_folder import PartFile, open_product_folder


def parts(folder: Path, pitch: float, count: int = 8) -> tuple[PartFile, ...]:
    """Flat clouds, 40 x 50 points, `pitch` metres apart, 1 pixel in 50 columns without return."""
    rows, columns = np.mgrid[:40, :50]
    xyz = np.stack([columns * pitch, rows * pitch, np.full((40, 50), 500 * pitch)], axis=2)
    xyz[:, 7] = 0
    folder.mkdir()
    for number in range(count):
        np.savez(folder / f"{number}.npz", rgb=np.zeros((40, 50, 3), np.uint8), xyz=xyz.astype(np.float32))
    return open_product_folder(folder).train


@pytest.mark.parametrize(("pitch", "doubtful"), [(2.5e-4, False), (1e-5, False), (0.25, True), (1e-7, True)])
def test_the_pitch_and_whether_the_unit_can_be_true(tmp_path: Path, pitch: float, doubtful: bool) -> None:
    points, unreadable = measure_points(parts(tmp_path / "p", pitch))
    assert unreadable == []
    assert points is not None
    assert points.parts == PARTS_READ
    assert points.pitch_m == pytest.approx(pitch, rel=1e-3)
    assert points.extent_m == pytest.approx(49 * pitch, rel=0.05)
    assert points.valid == pytest.approx(0.98)
    assert (points.doubt is not None) == doubtful


def test_millimetres_are_named_with_the_way_out(tmp_path: Path) -> None:
    points, _ = measure_points(parts(tmp_path / "p", 0.25))
    assert points is not None
    assert points.doubt is not None
    assert points.doubt.startswith("0.25 m between neighbouring points")
    assert "sensor.json" in points.doubt


def test_an_undeclared_number_for_no_return_is_a_doubt(tmp_path: Path) -> None:
    parts(tmp_path / "p", 2.5e-4)
    for file in (tmp_path / "p").iterdir():
        part = dict(np.load(file))
        part["xyz"][:, 7] = -1
        np.savez(file, **part)
    points, _ = measure_points(open_product_folder(tmp_path / "p").train)
    assert points is not None
    assert points.far == "-1 m"
    assert points.doubt is not None
    (tmp_path / "p/sensor.json").write_text('{"invalid": -1}')
    points, _ = measure_points(open_product_folder(tmp_path / "p").train)
    assert points is not None
    assert points.doubt is None


def test_x_and_z_in_each_others_place_are_a_doubt(tmp_path: Path) -> None:
    parts(tmp_path / "p", 2.5e-4)
    file = tmp_path / "p/7.npz"
    part = dict(np.load(file))
    np.savez(file, **part | {"xyz": part["xyz"][..., ::-1]})
    points, _ = measure_points(open_product_folder(tmp_path / "p").train)
    assert points is not None
    assert points.sideways
    assert points.doubt is not None


def test_the_unit_is_declared_named_by_the_file_or_assumed(tmp_path: Path) -> None:
    found = parts(tmp_path / "p", 0.25)
    (tmp_path / "p/sensor.json").write_text('{"xyz_unit": "mm"}')
    declared, _ = measure_points(open_product_folder(tmp_path / "p").train)
    assert declared is not None
    assert (declared.unit, declared.declared, declared.doubt) == ("mm", True, None)
    assert declared.pitch_m == pytest.approx(2.5e-4, rel=1e-3)
    assumed, _ = measure_points(found)
    assert assumed is not None
    assert (assumed.unit, assumed.declared) == ("m", False)


def test_a_part_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    found = parts(tmp_path / "p", 1e-3, count=3)
    (tmp_path / "p/1.npz").write_bytes(b"PK\x03\x04")
    points, unreadable = measure_points(found)
    assert points is not None
    assert points.parts == 2
    assert [reason.count("1 cannot be read: ") for reason in unreadable] == [1]


def test_images_alone_have_no_points() -> None:
    flat = PartFile("1", "train", "good", {"rgb": Path("1.png")})
    assert measure_points([flat]) == (None, [])
    assert measure_points([]) == (None, [])
