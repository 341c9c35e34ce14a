"""PLY and PCD files as the makers of cameras write them: every header gives the same cloud."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from models.readers import ReadLimits, read_cloud, read_part
from models.sample import BadSample
from recipes.sensor import METRES, Sensor, Unit

HEIGHT, WIDTH = 32, 40
PITCH = 0.0005
XYZ = np.stack(
    [*np.meshgrid(np.arange(WIDTH) * PITCH, np.arange(HEIGHT) * PITCH), np.full((HEIGHT, WIDTH), 0.5)], axis=2
).astype(np.float32)
XYZ[1, 2] = np.nan
RGB = (np.arange(HEIGHT * WIDTH * 3) % 256).astype(np.uint8).reshape(HEIGHT, WIDTH, 3)
POINTS = XYZ.reshape(-1, 3)
IMAGE = (HEIGHT, WIDTH)
POINT = ["property float x", "property float y", "property float z"]


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def ply(
    *notes: str,
    points: np.ndarray = POINTS,
    lines: list[str] = POINT,
    after: bytes = b"",
    elements: tuple[str, ...] = (),
    before: bytes = b"",
    first: tuple[str, ...] = (),
) -> bytes:
    """A binary PLY: notes and elements as given, `points` as they are."""
    head = ["ply", "format binary_little_endian 1.0", *notes, *first, f"element vertex {len(points)}", *lines]
    return "\n".join([*head, *elements, "end_header", ""]).encode() + before + points.tobytes() + after


PARAMS = (
    "element phoxi_frame_params 1",
    "property uint32 frame_width",
    "property uint32 frame_height",
    "property uint32 frame_index",
)
CAMERA = ("element camera 1", "property float view_px", "property int viewportx", "property int viewporty")
NAMED = {
    "PCL": ply(f"obj_info num_cols {WIDTH}", f"obj_info num_rows {HEIGHT}"),
    "EpicEye": ply(f"comment width: {WIDTH}", f"comment height: {HEIGHT}"),
    "Photoneo": ply(f"obj_info Photoneo PLY PointCloud ( Width = {WIDTH}; Height = {HEIGHT})"),
    "Photoneo ordered": ply(f"obj_info Photoneo PLY (Width = {WIDTH}; Height = {HEIGHT}; Ordered)"),
    "Photoneo without a gap": ply(f"obj_info (Width = {WIDTH}; Height = {HEIGHT}Ordered)"),
    "Photoneo without blanks": ply(f"obj_info Width={WIDTH}; Height={HEIGHT}"),
    "Photoneo's last element": ply(elements=PARAMS, after=np.array([WIDTH, HEIGHT, 7], np.uint32).tobytes()),
    "PCL's camera": ply(
        elements=CAMERA, after=np.float32(0).tobytes() + np.array([WIDTH, HEIGHT], np.int32).tobytes()
    ),
    "another element first": ply(
        f"comment width {WIDTH}", f"comment height {HEIGHT}", first=CAMERA, before=bytes(12)
    ),
    "faces behind": ply(
        f"comment width {WIDTH}",
        f"comment height {HEIGHT}",
        elements=("element face 1", "property list uchar int vertex_indices"),
        after=bytes(1),
    ),
    "a wrong number before the right ones": ply(
        "comment exported for width 3 and height 2",
        f"obj_info num_cols {WIDTH}",
        f"obj_info num_rows {HEIGHT}",
    ),
}


@pytest.mark.parametrize("maker", NAMED)
def test_the_grid_is_where_the_maker_writes_it(maker: str) -> None:
    xyz, rgb, unit, _ = read_cloud(NAMED[maker])
    assert unit == ("mm" if "Photoneo" in NAMED[maker].decode("latin-1") else None)
    np.testing.assert_array_equal(xyz, XYZ)
    assert rgb is None


@pytest.mark.parametrize(
    "data",
    [
        ply(),
        ply("comment x y z data unit in mm"),
        "\n".join(
            ["ply", "format ascii 1.0", f"element vertex {HEIGHT * WIDTH}", *POINT, "end_header"]
            + [" ".join(map(repr, map(float, point))) for point in XYZ.reshape(-1, 3)]
        ).encode(),
        (
            f"VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {HEIGHT * WIDTH}\n"
            f"HEIGHT 1\nPOINTS {HEIGHT * WIDTH}\nDATA binary\n"
        ).encode()
        + XYZ.tobytes(),
    ],
    ids=["Zivid", "Mech-Eye", "text", "PCD"],
)
def test_a_list_of_points_has_the_size_of_its_image(data: bytes) -> None:
    np.testing.assert_array_equal(read_cloud(data, image=IMAGE).xyz, XYZ)
    for image in (None, (HEIGHT, WIDTH + 1)):
        with pytest.raises(BadSample) as refused:
            read_cloud(data, image=image)
        assert refused.value.code == "unorganised_cloud"


@pytest.mark.parametrize("portrait", [False, True])
def test_a_list_of_points_column_by_column_is_refused(portrait: bool) -> None:
    xyz = np.ascontiguousarray(XYZ.swapaxes(0, 1)) if portrait else XYZ
    size = xyz.shape[:2]
    head = PCD_HEAD.replace(f"WIDTH {WIDTH}", f"WIDTH {HEIGHT * WIDTH}")
    head = head.replace(f"HEIGHT {HEIGHT}", "HEIGHT 1")
    for points in (xyz.reshape(-1, 3), np.ascontiguousarray(xyz.swapaxes(0, 1)).reshape(-1, 3)):
        for data in (ply(points=points), head.encode() + points.tobytes()):
            if np.array_equal(points, xyz.reshape(-1, 3), equal_nan=True):
                np.testing.assert_array_equal(read_cloud(data, image=size).xyz, xyz)
                continue
            with pytest.raises(BadSample) as refused:
                read_cloud(data, image=size)
            assert refused.value.code == "unorganised_cloud"


@pytest.mark.parametrize(
    ("notes", "switch"),
    [
        (["obj_info Photoneo PLY PointCloud"], "unordered"),
        (["comment x y z data unit in mm"], "isOrganized=True"),
        (["comment Created by Zivid"], "ordered"),
        (["comment pointcloud saved from Realsense Viewer"], "intrinsics"),
        (["comment NxLib model"], "point map"),
    ],
)
def test_a_refusal_names_the_switch_of_the_maker(notes: list[str], switch: str) -> None:
    with pytest.raises(BadSample) as refused:
        read_cloud(ply(*notes, points=XYZ.reshape(-1, 3)[:-1]), image=IMAGE)
    assert refused.value.code == "unorganised_cloud"
    assert switch in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uchar", RGB),
        ("ushort", RGB.astype(np.uint16) * 256),
        ("ushort", RGB.astype(np.uint16)),
        ("int", RGB.astype(np.int32)),
        ("float", RGB.astype(np.float32) / np.float32(255)),
        ("float32", RGB.astype(np.float32)),
        ("double", RGB / 255),
    ],
)
@pytest.mark.parametrize("names", [("red", "green", "blue"), ("r", "g", "b")])
def test_colours_of_every_kind_are_the_same_picture(
    kind: str, values: np.ndarray, names: tuple[str, ...]
) -> None:
    values = values.reshape(-1, 3)
    dtype = [(axis, "<f4") for axis in "xyz"] + [(name, values.dtype.str) for name in names]
    points = np.empty(len(values), dtype)
    for at, (axis, name) in enumerate(zip("xyz", names, strict=True)):
        points[axis], points[name] = XYZ.reshape(-1, 3)[:, at], values[:, at]
    lines = [*POINT, *(f"property {kind} {name}" for name in names)]
    xyz, rgb, *_ = read_cloud(ply(points=points, lines=lines), image=IMAGE)
    np.testing.assert_array_equal(xyz, XYZ)
    assert rgb is not None
    np.testing.assert_array_equal(rgb, RGB)


@pytest.mark.parametrize(
    "word", ["nan", "-nan", "1.#QNAN", "-1.#IND", "1.#INF", "-nan(ind)", "nan(snan)", "-1.#IND00"]
)
def test_what_windows_prints_for_no_number_is_no_return(word: str) -> None:
    rows = [f"{word} {word} {word}" if np.isnan(p[0]) else " ".join(map(str, p)) for p in XYZ.reshape(-1, 3)]
    head = ["ply", "format ascii 1.0", f"element vertex {HEIGHT * WIDTH}", *POINT, "end_header"]
    xyz, *_ = read_cloud("\n".join([*head, *rows]).encode(), image=IMAGE)
    assert np.isnan(xyz[1, 2]).all()
    assert np.isnan(xyz).sum() == 3


@pytest.mark.parametrize("note", ["comment see end_header below", "comment Geh\u00e4use", "comment "])
@pytest.mark.parametrize("start", [b"ply\n", b"ply \r\n", b"\xef\xbb\xbfply\n"])
def test_a_header_as_any_editor_writes_it(note: str, start: bytes) -> None:
    data = ply(note).replace(b"ply\n", start, 1)
    np.testing.assert_array_equal(read_cloud(data, image=IMAGE).xyz, XYZ)


def test_a_word_in_a_text_that_is_no_number_is_named_by_its_line() -> None:
    rows = [" ".join(map(str, point)) for point in POINTS]
    rows[6] = "0,5 0,5 0,5"
    head = ["ply", "format ascii 1.0", f"element vertex {HEIGHT * WIDTH}", *POINT, "end_header"]
    with pytest.raises(BadSample, match=r"\b8\b") as refused:
        read_cloud("\n".join([*head, "", *rows]).encode(), image=IMAGE)
    assert refused.value.code == "unreadable"


PCD_HEAD = (
    f"VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\n"
    f"POINTS {HEIGHT * WIDTH}\nDATA binary\n"
)
PCD_HEADS = {
    "byte order mark": "\ufeff" + PCD_HEAD,
    "another comment first": "# ACME scanner\n\n# .PCD v.7\n" + PCD_HEAD,
    "no VERSION": PCD_HEAD.partition("\n")[2],
    "no POINTS": PCD_HEAD.replace(f"POINTS {HEIGHT * WIDTH}\n", ""),
    "comment in UTF-8": PCD_HEAD.replace("COUNT", "# Geh\u00e4use\nCOUNT"),
    "an older version": PCD_HEAD.replace("0.7", ".5").replace("FIELDS", "COLUMNS"),
    "one column": PCD_HEAD.replace(f"WIDTH {WIDTH}", "WIDTH 1").replace(
        f"HEIGHT {HEIGHT}", f"HEIGHT {HEIGHT * WIDTH}"
    ),
    "capitals": PCD_HEAD.replace("binary", "BINARY"),
}


@pytest.mark.parametrize("head", PCD_HEADS)
@pytest.mark.parametrize("letters", ["utf-8", "latin-1"])
def test_a_pcd_head_as_any_program_writes_it(head: str, letters: str) -> None:
    data = PCD_HEADS[head].encode(letters if head.startswith("comment") else "utf-8") + XYZ.tobytes()
    np.testing.assert_array_equal(read_cloud(data, image=IMAGE).xyz, XYZ)


@pytest.mark.parametrize("word", ["FIELDS", "SIZE", "TYPE", "WIDTH", "HEIGHT"])
def test_a_line_that_a_pcd_head_lacks_is_named(word: str) -> None:
    lines = [line for line in PCD_HEAD.splitlines(keepends=True) if not line.startswith(word)]
    with pytest.raises(BadSample, match=word) as refused:
        read_cloud("".join(lines).encode() + XYZ.tobytes())
    assert refused.value.code == "unreadable"


def test_a_pcd_of_unknown_encoding() -> None:
    with pytest.raises(BadSample) as refused:
        read_cloud(PCD_HEAD.replace("binary", "zstd").encode() + XYZ.tobytes())
    assert refused.value.code == "unsupported_encoding"


PACKED = RGB.reshape(-1, 3).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)


@pytest.mark.parametrize(
    "colour",
    [
        {"r": RGB[..., 0].ravel(), "g": RGB[..., 1].ravel(), "b": RGB[..., 2].ravel()},
        {"rgba": PACKED | np.uint32(0xFF000000)},
        {"rgb": PACKED.view(np.float32)},
        {"rgb": PACKED.astype(np.float32)},
    ],
    ids=["three fields", "unsigned", "bits of a float", "whole float"],
)
def test_colours_of_pcd_of_every_kind_are_the_same_picture(colour: dict[str, np.ndarray]) -> None:
    fields = {axis: POINTS[:, at] for at, axis in enumerate("xyz")} | colour
    points = np.empty(len(POINTS), [(name, values.dtype) for name, values in fields.items()])
    for name, values in fields.items():
        points[name] = values
    head = PCD_HEAD.replace("x y z", " ".join(fields))
    head = head.replace("4 4 4", " ".join(str(values.itemsize) for values in fields.values()))
    head = head.replace("F F F", " ".join(values.dtype.kind.upper() for values in fields.values()))
    xyz, rgb, *_ = read_cloud(head.replace("COUNT 1 1 1\n", "").encode() + points.tobytes())
    np.testing.assert_array_equal(xyz, XYZ)
    np.testing.assert_array_equal(rgb, RGB)


def test_a_declared_size_that_cannot_be_is_refused_before_memory_is_taken() -> None:
    huge = 10**8
    with pytest.raises(BadSample):
        read_cloud(
            ply("comment width 10000", "comment height 10000").replace(
                b"vertex %d" % (HEIGHT * WIDTH), b"vertex %d" % huge
            )
        )
    with pytest.raises(BadSample) as refused:
        read_cloud(ply("comment width 41", "comment height 32"), ReadLimits())
    assert refused.value.code == "unorganised_cloud"


@pytest.mark.parametrize(
    ("note", "unit"),
    [
        ("comment x y z data unit in mm", "mm"),
        ("comment x y z data unit in m", "m"),
        ("obj_info Photoneo PLY PointCloud", "mm"),
        ("comment unit: inch", "inch"),
        ("comment units = micrometers", "um"),
        ("comment all units are in mm", "mm"),
        ("comment data unit in \u00b5m", "um"),
        ("comment unit: in", "inch"),
    ],
)
def test_the_unit_is_the_files_own_and_a_declared_unit_must_not_contradict_it(note: str, unit: Unit) -> None:
    part = {"rgb": png(RGB), "xyz": ply(note)}
    sample = read_part(part, Sensor(xyz_unit="m" if unit != "m" else "mm"))  # the file's word comes first
    assert sample.xyz_unit == unit
    expected = np.where(np.isnan(XYZ), 0, XYZ) * np.float32(METRES[unit])
    np.testing.assert_array_equal(sample.xyz, expected)
    np.testing.assert_array_equal(read_part(part | {"xyz_unit": unit.encode()}).xyz, expected)
    with pytest.raises(BadSample) as refused:
        read_part(part | {"xyz_unit": b"mm" if unit != "mm" else b"m"})
    assert (refused.value.code, refused.value.field) == ("unit_contradicted", "xyz_unit")


@pytest.mark.parametrize("unit", ["cm", "centimeters"])
def test_a_file_in_a_unit_that_is_not_read_is_refused(unit: str) -> None:
    with pytest.raises(BadSample) as refused:
        read_part({"rgb": png(RGB), "xyz": ply(f"comment data unit in {unit}")})
    assert (refused.value.code, refused.value.field) == ("unit_contradicted", "xyz_unit")


@pytest.mark.parametrize("note", ["comment made by a unit of ours", "comment units in world coordinates"])
def test_a_declared_unit_counts_where_the_file_names_none(note: str) -> None:
    part = {"rgb": png(RGB), "xyz": ply(note)}
    assert read_part(part).xyz_unit == "m"
    assert read_part(part, Sensor(xyz_unit="um")).xyz_unit == "um"
    sample = read_part(part | {"xyz_unit": b"inch"}, Sensor(xyz_unit="um"))
    assert sample.xyz_unit == "inch"
    np.testing.assert_array_equal(sample.xyz[2:], XYZ[2:] * np.float32(0.0254))


@pytest.mark.parametrize("encoding", ["binary_little_endian", "binary_big_endian", "ascii"])
def test_a_range_grid_puts_the_points_in_their_places(encoding: str) -> None:
    on = ~np.isnan(POINTS[:, 0])
    on[5:9] = False
    valid = POINTS[on]
    order = ">" if encoding == "binary_big_endian" else "<"
    head = [
        "ply", f"format {encoding} 1.0", f"obj_info num_cols {WIDTH}", f"obj_info num_rows {HEIGHT}",
        f"element vertex {len(valid)}", *POINT, f"element range_grid {len(on)}",
        "property list uchar int vertex_indices", "end_header", "",
    ]  # fmt: skip
    numbers = iter(range(len(valid)))
    if encoding == "ascii":
        body = "".join(f"{x!r} {y!r} {z!r}\n" for x, y, z in valid.tolist())
        body += "".join(f"1 {next(numbers)}\n" if there else "0\n" for there in on)
        data = "\n".join(head).encode() + body.encode()
    else:
        grid = b"".join(struct.pack(f"{order}Bi", 1, next(numbers)) if there else b"\0" for there in on)
        data = "\n".join(head).encode() + valid.astype(f"{order}f4").tobytes() + grid
    expected = np.where(on[:, None], POINTS, 0).reshape(XYZ.shape)
    np.testing.assert_array_equal(read_cloud(data).xyz, expected)
    for damaged in (data[:-40], data.replace(b"num_rows", b"num_lines")):
        with pytest.raises(BadSample):
            read_cloud(damaged)
