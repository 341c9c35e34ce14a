"""Every format read back exactly, and the real clouds."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from plyfile import PlyData, PlyElement
from pypcd4.pypcd4 import Encoding, PointCloud

from models.readers import (
    read_cloud,
    read_files,
    read_part,
    read_rgb,
)
from models.readers.intrinsics import read_intrinsics
from models.sample import BadSample, check_range, make_sample
from recipes.intrinsics import Intrinsics
from recipes.sensor import Sensor

CLOUDS = Path(__file__).parents[2] / "data" / "clouds"
CAMERA = Intrinsics(525, 525, 320, 240)


def cloud(height: int = 33, width: int = 47, dtype: type = np.float32) -> np.ndarray:
    xyz = np.random.default_rng(height * width).normal(size=(height, width, 3)).astype(dtype)
    xyz[::7, ::5] = np.nan
    return xyz


def picture(height: int = 33, width: int = 47) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def depth_cloud(data: bytes, camera: Intrinsics) -> np.ndarray:
    return read_part({"depth": data}, Sensor(intrinsics=camera)).xyz


def tiff(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **{"photometric": "rgb", **options})  # type: ignore[arg-type]
    return stream.getvalue()


def png(array: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def ply(xyz: np.ndarray, rgb: np.ndarray | None = None, text: bool = False, order: str = "<") -> bytes:
    height, width = xyz.shape[:2]
    fields = [(axis, xyz.dtype.str[1:]) for axis in "xyz"]
    colours = [] if rgb is None else [(name, "u1") for name in ("red", "green", "blue")]
    points = np.empty(height * width, fields + colours)
    for index, axis in enumerate("xyz"):
        points[axis] = xyz[..., index].ravel()
    for index, (name, _) in enumerate(colours):
        points[name] = rgb[..., index].ravel()  # type: ignore[index]
    stream = io.BytesIO()
    sides = [f"num_cols {width}", f"num_rows {height}"]
    PlyData([PlyElement.describe(points, "vertex")], text=text, byte_order=order, obj_info=sides).write(
        stream
    )
    return stream.getvalue()


def pcd(xyz: np.ndarray, encoding: str) -> bytes:
    height, width = xyz.shape[:2]
    stream = io.BytesIO()
    PointCloud.from_xyz_points(xyz.reshape(-1, 3)).save(stream, Encoding(encoding))
    sides = (f"WIDTH {width}".encode(), f"HEIGHT {height}".encode())
    content = stream.getvalue().replace(f"WIDTH {height * width}".encode(), sides[0])
    return content.replace(b"HEIGHT 1\n", sides[1] + b"\n")


TIFF_FORMS: list[dict[str, object]] = [
    {},
    {"byteorder": ">"},
    {"bigtiff": True},
    {"bigtiff": True, "byteorder": ">"},
    {"compression": "zlib"},
    {"compression": "lzw"},
    {"compression": "packbits"},
    {"compression": "zlib", "predictor": True},
    {"rowsperstrip": 4, "compression": "zlib"},
    {"rowsperstrip": 5},
    {"tile": (16, 16)},
    {"photometric": "minisblack", "planarconfig": "contig"},
]


@pytest.mark.parametrize("form", TIFF_FORMS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_tiff_form_gives_the_same_numbers(form: dict[str, object], dtype: type) -> None:
    xyz = cloud(dtype=dtype)
    read = read_cloud(tiff(xyz, **form)).xyz
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, xyz)


def test_planar_tiff() -> None:
    xyz = cloud()
    planes = tiff(np.moveaxis(xyz, 2, 0).copy(), planarconfig="separate")
    np.testing.assert_array_equal(read_cloud(planes).xyz, xyz)


def without_data(value: float) -> dict[str, object]:
    """What GDAL writes into a TIFF in which `value` means no return."""
    text = f"{value:.17g}"
    return {"extratags": [(42113, "s", len(text) + 1, text, True)]}


@pytest.mark.parametrize("value", [-9999.0, -3.4028234663852886e38, 0.0])
def test_the_z_that_a_tiff_names_as_no_return_is_none(value: float) -> None:
    xyz = cloud()
    stored = np.where(np.isnan(xyz), np.float32(value), xyz)
    stored[1, 1, 0] = value  # an x of that value is a coordinate
    read = read_cloud(tiff(stored, **without_data(value))).xyz
    assert (np.isnan(read).all(axis=2) == np.isnan(xyz).all(axis=2)).all()
    np.testing.assert_array_equal(read[~np.isnan(read)], stored[~np.isnan(read)])


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
def test_the_height_or_depth_that_a_tiff_names_as_no_return_is_none(dtype: type) -> None:
    stored = np.arange(33 * 47).reshape(33, 47).astype(dtype)
    data = tiff(stored, photometric="minisblack", **without_data(700))
    heights = read_part({"xyz": data}, Sensor(x_pitch=1, y_pitch=1))
    np.testing.assert_array_equal(heights.valid.ravel()[1:], stored.ravel()[1:] != 700)  # 0, 0, 0 is first
    if dtype != np.int16:
        assert (depth_cloud(data, CAMERA)[stored == 700] == 0).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(dtype: str, order: str) -> None:
    xyz = cloud().astype(dtype)
    np.testing.assert_array_equal(read_cloud(npy(np.asarray(xyz, order=order))).xyz, xyz.astype(np.float32))  # type: ignore[call-overload]


@pytest.mark.parametrize(("text", "order"), [(True, "="), (False, "<"), (False, ">")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ply(text: bool, order: str, dtype: type) -> None:
    xyz, rgb = cloud(dtype=dtype), picture()
    read, colour, *_ = read_cloud(ply(xyz, rgb, text, order))
    np.testing.assert_allclose(read, xyz.astype(np.float32), rtol=1e-6)
    np.testing.assert_array_equal(colour, rgb)
    assert read_cloud(ply(xyz, None, text, order))[1] is None


def test_ply_sides_may_stand_in_comments() -> None:
    content = (
        ply(cloud())
        .replace(b"obj_info num_cols", b"comment width:")
        .replace(b"obj_info num_rows", b"comment height")
    )
    np.testing.assert_array_equal(read_cloud(content).xyz, cloud())


@pytest.mark.parametrize("encoding", ["ascii", "binary", "binary_compressed"])
def test_pcd(encoding: str) -> None:
    np.testing.assert_allclose(read_cloud(pcd(cloud(), encoding)).xyz, cloud(), rtol=1e-5, atol=1e-6)


def test_a_cloud_written_as_text_lets_other_threads_run_while_it_is_read() -> None:
    head, end, points = ply(cloud(20, 700), text=True).partition(b"end_header\n")
    head = head.replace(b"num_rows 20\n", b"num_rows 500\n").replace(b"vertex 14000\n", b"vertex 350000\n")
    content = head + end + 25 * points  # plyfile would take seconds to write so many
    turns: list[float] = []
    done = threading.Event()

    def take_turns() -> None:
        while not done.wait(0.001):
            turns.append(time.monotonic())
        turns.append(time.monotonic())

    other = threading.Thread(target=take_turns)
    other.start()
    try:
        assert read_cloud(content).xyz.shape == (500, 700, 3)
    finally:
        done.set()
        other.join()
    assert max(np.diff(turns)) < (turns[-1] - turns[0]) / 2


def test_npz_holds_a_part() -> None:
    sample = read_part({"sample": npz(rgb=picture(), xyz=cloud())})
    expected = make_sample(picture(), cloud())
    np.testing.assert_array_equal(sample.xyz, expected.xyz)
    np.testing.assert_array_equal(sample.rgb, expected.rgb)
    assert not read_part({"sample": npz(rgb=picture())}).valid.any()
    assert not read_part({"sample": npz(xyz=cloud())}).rgb.any()
    for unit in ("mm", b"mm", ["mm"]):
        assert read_part({"sample": npz(xyz=cloud(), xyz_unit=np.array(unit))}).xyz_unit == "mm"


def test_npz_with_scaled_integers() -> None:
    stored = np.rint(np.nan_to_num(cloud()) / 2e-4).astype(np.int16)
    stored[0, 0] = 0
    sample = read_part({"sample": npz(rgb=picture(), xyz=stored, xyz_scale=np.array(2e-4))})
    np.testing.assert_allclose(sample.xyz, stored * 2e-4, rtol=1e-6)
    assert not sample.valid[0, 0]
    moved = read_part(
        {"sample": npz(xyz=stored.astype(np.float16), xyz_scale=np.full(3, 2e-4), xyz_offset=np.ones(3))}
    )
    assert not moved.valid[0, 0]
    assert not moved.xyz[0, 0].any()


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"xyz": np.ones((33, 47, 3), np.int16)}, "xyz_dtype"),
        ({"xyz": np.ones((33, 47, 3), np.int32), "xyz_scale": np.array(0.1)}, "xyz_dtype"),
        ({"xyz": np.ones((33, 47, 3), np.float32), "xyz_offset": np.zeros(3)}, "npz_entries"),
        *(
            ({"xyz": np.ones((33, 47, 3), np.int16), "xyz_scale": np.array(scale)}, "xyz_scale")
            for scale in (0.0, -1.0, np.nan, np.inf, 2.0, [0.1, 0.1])
        ),
        (
            {
                "xyz": np.ones((33, 47, 3), np.int16),
                "xyz_scale": np.array(0.1),
                "xyz_offset": np.array([0, 0, np.inf]),
            },
            "xyz_scale",
        ),
    ],
)
def test_npz_scales_that_mean_nothing(entries: dict[str, np.ndarray], code: str) -> None:
    with pytest.raises(BadSample) as refused:
        read_part({"sample": npz(**entries)})
    assert refused.value.code == code


def test_npz_depth() -> None:
    depth = np.full((33, 47), 500, np.uint16)
    sample = read_part({"sample": npz(rgb=picture(), depth=depth, intrinsics=np.array([100.0, 100, 23, 16]))})
    assert sample.xyz[16, 23].tolist() == [0, 0, np.float32(0.5)]


@pytest.mark.parametrize("encode", [png, tiff, npy], ids=["png", "tiff", "npy"])
def test_depth_is_unprojected(encode: object) -> None:
    depth = np.full((33, 47), 1000, np.uint16)
    depth[0, 0] = 0
    options = {"photometric": "minisblack"} if encode is tiff else {}
    xyz = depth_cloud(encode(depth, **options), Intrinsics(100, 200, 20, 10))  # type: ignore[operator]
    np.testing.assert_allclose(xyz[12, 25], [0.05, 0.01, 1.0], rtol=1e-6)
    assert (xyz[0, 0] == 0).all()


def test_pictures_of_every_kind() -> None:
    rgb = picture()
    np.testing.assert_array_equal(read_rgb(png(rgb)), rgb)
    np.testing.assert_array_equal(read_rgb(tiff(rgb)), rgb)
    np.testing.assert_array_equal(read_rgb(png(rgb) + b"PK\x03\x04 <script>"), rgb)
    smooth = np.full((40, 40, 3), (200, 100, 50), np.uint8)
    assert np.abs(read_rgb(png(smooth, "JPEG")).astype(int) - smooth).max() <= 3


def test_real_clouds() -> None:
    for name in ("milk", "office", "kinect"):
        path = CLOUDS / f"{name}.pcd"
        xyz, rgb, *_ = read_cloud(path.read_bytes())
        reference = PointCloud.from_path(path)
        np.testing.assert_array_equal(xyz.reshape(-1, 3), reference.numpy(("x", "y", "z")))
        assert rgb is not None
        assert rgb.any()


def test_one_kinect_frame_in_three_forms_is_one_part() -> None:
    crop = np.s_[200:320, 240:400]
    whole = read_files(
        {"rgb": CLOUDS / "kinect_rgb.tiff", "depth": CLOUDS / "kinect_depth.tiff"}, Sensor(intrinsics=CAMERA)
    )
    part = read_files({"xyz": CLOUDS / "kinect.pcd"})
    np.testing.assert_array_equal(part.rgb, whole.rgb[crop])
    np.testing.assert_array_equal(part.valid, whole.valid[crop])
    np.testing.assert_allclose(part.xyz, whole.xyz[crop], atol=1e-6)


FOUR = {"fx": 500.0, "fy": 510.0, "cx": 23.5, "cy": 16.0}
MATRIX_BY_COLUMN = [500.0, 0, 0, 0, 510.0, 0, 23.5, 16.0, 1]
MATRIX_BY_ROW = [500.0, 0, 23.5, 0, 510.0, 16.0, 0, 0, 1]
SIZE = {"width": 47, "height": 33}
REALSENSE = SIZE | {
    "fx": 500.0,
    "fy": 510.0,
    "ppx": 23.5,
    "ppy": 16.0,
    "model": "Brown Conrady",
    "coeffs": [0.0, 0, 0, 0, 0],
}
OPEN3D = SIZE | {"intrinsic_matrix": MATRIX_BY_COLUMN}
ROS = SIZE | {
    "header": {"seq": 1, "frame_id": "camera"},
    "distortion_model": "plumb_bob",
    "D": [0, 0, 0, 0, 0],
    "K": MATRIX_BY_ROW,
    "R": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "P": [500.0, 0, 23.5, 0, 0, 510.0, 16.0, 0, 0, 0, 1, 0],
    "binning_x": 0,
    "binning_y": 1,
    "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False},
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (FOUR, Intrinsics(500, 510, 23.5, 16)),
        (FOUR | SIZE | {"depth_scale": 0.0001}, Intrinsics(500, 510, 23.5, 16, 0.0001, 47, 33)),
        (REALSENSE, Intrinsics(500, 510, 23.5, 16, width=47, height=33)),
        (OPEN3D, Intrinsics(500, 510, 23.5, 16, width=47, height=33)),
        (
            {
                "class_name": "PinholeCameraParameters",
                "extrinsic": [1.0] * 16,
                "intrinsic": OPEN3D,
                "version_major": 1,
                "depth_scale": 0.01,
            },
            Intrinsics(500, 510, 23.5, 16, 0.01, 47, 33),
        ),
        (ROS, Intrinsics(500, 510, 23.5, 16, width=47, height=33)),
        ({"k": MATRIX_BY_ROW, "d": [], "r": [1], "p": [1]}, Intrinsics(500, 510, 23.5, 16)),
    ],
    ids=["plain", "size", "RealSense", "Open3D", "Open3D nested", "ROS 1", "ROS 2"],
)
def test_intrinsics_as_tools_write_them(values: dict[str, object], expected: Intrinsics) -> None:
    assert read_intrinsics(json.dumps(values).encode()) == expected


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (FOUR | {"cx": "23.5"}, "^cx is text"),
        (FOUR | {"depth_scale": "0.001"}, "^depth_scale is text"),
        (REALSENSE | {"ppx": "23.5"}, "^ppx is text"),
        (OPEN3D | {"intrinsic_matrix": [str(n) for n in MATRIX_BY_COLUMN]}, "^intrinsic_matrix must be nine"),
        (OPEN3D | {"intrinsic_matrix": MATRIX_BY_ROW}, "^intrinsic_matrix .*column by column"),
        (ROS | {"K": MATRIX_BY_COLUMN}, "^K .*row by row"),
        (ROS | {"K": [0.0, *MATRIX_BY_ROW[1:]]}, "^fx in K must be above 0"),
        (REALSENSE | {"coeffs": [0, 0.1, 0, 0, 0]}, "^coeffs .*Undistort"),
        (ROS | {"D": [0, 0, 0, 0, 1e-9]}, "^D .*Undistort"),
        (ROS | {"D": "none"}, "^D must be a list"),
        (ROS | {"binning_x": 2}, "^binning_x "),
        (ROS | {"roi": {"x_offset": 8, "y_offset": 0}}, "^roi "),
        (FOUR | {"k1": 0, "skew": 0}, "'k1', 'skew'"),
        (FOUR | {"\ud800" * 100: 0}, "keys: '"),
        (FOUR | {"intrinsic": OPEN3D | {"serial": 1}}, "'serial'|second time"),
        (FOUR | {"K": MATRIX_BY_ROW}, "^K gives cx, cy, fx, fy a second time"),
        (FOUR | {"ppx": 1}, "^ppx gives cx a second time"),
        ({"fx": 1, "cy": 1}, "lack fy, cx"),
        (FOUR | {"width": 0}, "^width must be above 0"),
        (FOUR | {"height": 32.5}, "^height must be a whole number"),
        ({"intrinsic": [1]}, "^intrinsic must be"),
    ],
)
def test_bad_intrinsics_name_the_key(values: dict[str, object], named: str) -> None:
    with pytest.raises(BadSample, match=named) as refused:
        read_intrinsics(json.dumps(values).encode())
    assert refused.value.code == "intrinsics_invalid"
    str(refused.value).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[1]",
        b"{",
        b"\xff\xfe",
        b'{"fx": 1}',
        b'{"fx": 1, "fy": 2, "cx": 3, "cy": 1e999}',
        b'{"fx": "1", "fy": 2, "cx": 3, "cy": 4}',
        b'{"fx": true, "fy": 2, "cx": 3, "cy": 4}',
        b'{"fx": 0, "fy": 2, "cx": 3, "cy": 4}',
        b'{"fx": 1, "fy": 2, "cx": 3, "cy": 4, "k1": 0}',
        json.dumps({"fx": 10**400, "fy": 2, "cx": 3, "cy": 4}).encode(),
        b"[" * 8000,
        b" " * 9000,
    ],
)
def test_bad_intrinsics(text: bytes) -> None:
    with pytest.raises(BadSample) as refused:
        read_intrinsics(text)
    assert refused.value.code == "intrinsics_invalid"


def test_the_cameras_size_is_that_of_the_depth_map() -> None:
    depth = png(np.full((33, 47), 700, np.uint16))
    assert depth_cloud(depth, Intrinsics(500, 510, 23.5, 16, width=47, height=33)).shape == (33, 47, 3)
    for size in ({"width": 33, "height": 47}, {"width": 640}, {"height": 480}):
        with pytest.raises(BadSample) as refused:
            depth_cloud(depth, Intrinsics(500, 510, 23.5, 16, **size))
        assert refused.value.code == "size_mismatch"


@pytest.mark.parametrize(
    ("dtype", "stored", "scale", "metres"),
    [
        (np.uint16, 700, None, 0.7),
        (np.float32, 0.7, None, 0.7),
        (np.float64, 0.7, None, 0.7),
        (np.float32, 700, 0.001, 0.7),
        (np.uint16, 7000, 0.0001, 0.7),
    ],
)
def test_depth_without_a_scale(dtype: type, stored: float, scale: float | None, metres: float) -> None:
    depth = np.full((33, 47), stored, dtype)
    camera = Intrinsics(500, 510, 23.5, 16, scale)
    np.testing.assert_allclose(depth_cloud(npy(depth), camera)[..., 2], metres, rtol=1e-6)
    numbers = np.array([500, 510, 23.5, 16] + ([] if scale is None else [scale]))
    sample = read_part({"sample": npz(rgb=picture(), depth=depth, intrinsics=numbers)})
    np.testing.assert_allclose(sample.xyz[..., 2], metres, rtol=1e-6)


def test_a_depth_of_another_scale_is_told_so() -> None:
    depth = npy(np.full((33, 47), 700, np.float32))
    with pytest.raises(BadSample, match="depth_scale") as refused:
        check_range(make_sample(picture(), depth_cloud(depth, Intrinsics(500, 510, 23.5, 16))))
    assert refused.value.code == "out_of_range"


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    height=st.integers(32, 60),
    width=st.integers(32, 60),
    form=st.sampled_from(TIFF_FORMS),
    encoding=st.sampled_from(["ascii", "binary", "binary_compressed"]),
)
def test_round_trips_at_any_size(height: int, width: int, form: dict[str, object], encoding: str) -> None:
    xyz = cloud(height, width)
    np.testing.assert_array_equal(read_cloud(tiff(xyz, **form)).xyz, xyz)
    np.testing.assert_array_equal(read_cloud(ply(xyz)).xyz, xyz)
    np.testing.assert_array_equal(read_cloud(npy(xyz)).xyz, xyz)
    np.testing.assert_allclose(read_cloud(pcd(xyz, encoding)).xyz, xyz, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(read_rgb(png(picture(height, width))), picture(height, width))
