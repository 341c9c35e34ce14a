from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from evaluation.datasets.file_headers import Header, cloud_header, image_header

RGB = np.zeros((40, 50, 3), np.uint8)
GREY16 = np.zeros((40, 50), np.uint16)
XYZ = np.zeros((40, 50, 3), np.float32)


@pytest.mark.parametrize(
    ("name", "pixels", "kind", "values"),
    [
        ("1.PNG", RGB, "PNG", "colour, 8 bits"),
        ("1.png", GREY16, "PNG", "grey, 16 bits"),
        ("1.jpg", RGB, "JPEG", "colour, 8 bits"),
        ("1.bmp", RGB[..., 0], "BMP", "grey, 8 bits"),
        ("1.tiff", GREY16, "TIFF", "grey, 16 bits"),
        ("1.tif", RGB, "TIFF", "colour, 8 bits"),
    ],
)
def test_headers_of_images(tmp_path: Path, name: str, pixels: np.ndarray, kind: str, values: str) -> None:
    file = tmp_path / name
    tifffile.imwrite(file, pixels) if "tif" in name else Image.fromarray(pixels).save(file)
    assert image_header(file) == Header(kind, values, (40, 50))


def test_a_header_is_read_by_its_content_whatever_the_name(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "BMP"):
        Image.fromarray(RGB).save(tmp_path / "1.png", kind)
        assert image_header(tmp_path / "1.png") == Header(kind, "colour, 8 bits", (40, 50))
    tifffile.imwrite(tmp_path / "1.png", RGB, photometric="rgb")
    assert image_header(tmp_path / "1.png").kind == "TIFF"
    with (tmp_path / "1.tiff").open("wb") as file:
        np.save(file, XYZ)
    assert cloud_header(tmp_path / "1.tiff") == Header("NPY", "float32", (40, 50))


def test_planes_of_a_tiff_are_no_rows(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "1.tiff", np.moveaxis(XYZ, 2, 0), photometric="rgb", planarconfig="separate")
    assert cloud_header(tmp_path / "1.tiff") == Header("TIFF", "float32", (40, 50))


def test_headers_of_clouds(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "1.tiff", XYZ, photometric="rgb")
    tifffile.imwrite(tmp_path / "heights.tif", GREY16)
    np.save(tmp_path / "1.npy", XYZ)
    np.savez(tmp_path / "1.npz", rgb=RGB, xyz=XYZ)
    (tmp_path / "1.ply").write_bytes(b"ply")
    assert cloud_header(tmp_path / "1.tiff") == Header("TIFF", "float32", (40, 50))
    assert cloud_header(tmp_path / "heights.tif") == Header("TIFF", "uint16, one value per pixel", (40, 50))
    assert cloud_header(tmp_path / "1.npy") == Header("NPY", "float32", (40, 50))
    assert str(cloud_header(tmp_path / "1.npz")) == "NPZ, rgb and xyz"
    assert str(cloud_header(tmp_path / "1.ply")) == "PLY"


@pytest.mark.parametrize("name", ["1.png", "1.jpg", "1.bmp", "1.tiff", "1.npy", "1.npz"])
@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_what_has_no_header_is_an_error_of_a_known_kind(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    read = cloud_header if name.startswith("1.np") else image_header
    with pytest.raises((OSError, ValueError)):
        read(tmp_path / name)
