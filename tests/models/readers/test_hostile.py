"""Hostile bytes: rows 27 to 71 of the reliability study that reach a reader, and random damage."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from models.readers import ReadLimits, read_cloud, read_part, read_rgb
from models.readers.stored import Stored
from models.sample import BadSample, TooLarge, UnsupportedType
from recipes.intrinsics import Intrinsics
from recipes.sensor import Sensor

CLOUDS = Path(__file__).parents[2] / "data" / "clouds"
XYZ = np.linspace(0.1, 1, 40 * 50 * 3, dtype=np.float32).reshape(40, 50, 3)
RGB = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved(array: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


def depth_cloud(data: bytes, camera: Intrinsics) -> np.ndarray:
    return read_part({"depth": data}, Sensor(intrinsics=camera)).xyz


def tiff(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **{"photometric": "rgb", **options})  # type: ignore[arg-type]
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return SIGNATURE + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def with_chunk(name: bytes, body: bytes) -> bytes:
    image = saved(RGB)
    return image[:33] + chunk(name, body) + image[33:]  # right after IHDR


def with_pixels_apart() -> bytes:
    """The chunks of a PNG's pixels with a text between them."""
    image = saved(RGB)
    pixels = image[image.index(b"IDAT") + 4 : -16]
    between = chunk(b"tEXt", b"k\0text")
    return image[:33] + chunk(b"IDAT", pixels[:50]) + between + chunk(b"IDAT", pixels[50:]) + image[-12:]


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


def tiff_claiming(**tags: int) -> bytes:
    """A TIFF of a few entries that claims what the tags say; 100 bytes of pixels."""
    entries = {"256": 50, "257": 40, "258": 32, "259": 1, "262": 1, "273": 8, "277": 3, "279": 100, "339": 3}
    entries.update({name.removeprefix("t"): value for name, value in tags.items()})
    pixels = bytes(100)
    body = b"".join(
        struct.pack("<HHII", int(tag), 4, 1, value)
        for tag, value in sorted(entries.items(), key=lambda entry: int(entry[0]))
    )
    directory = struct.pack("<H", len(entries)) + body + struct.pack("<I", 0)
    return b"II*\x00" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def circular_tiff() -> bytes:
    content = bytearray(tiff(XYZ, metadata=None))
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * count, first)
    return bytes(content)


def npy_claiming(header: str, version: bytes = b"\x01\x00") -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + bytes(64)


def ply_header(lines: str) -> bytes:
    return f"ply\nformat binary_little_endian 1.0\n{lines}\nend_header\n".encode() + bytes(200)


def pcd_header(**changes: str) -> bytes:
    entries = {
        **{"VERSION": "0.7", "FIELDS": "x y z", "SIZE": "4 4 4", "TYPE": "F F F", "COUNT": "1 1 1"},
        **{"WIDTH": "50", "HEIGHT": "40", "VIEWPOINT": "0 0 0 1 0 0 0", "POINTS": "2000", "DATA": "binary"},
        **changes,
    }
    return "\n".join(f"{name} {value}" for name, value in entries.items()).encode() + b"\n" + bytes(64)


def sof(marker: int, precision: int = 8, channels: int = 3, side: int = 64) -> bytes:
    frame = struct.pack(">BHHB", precision, side, side, channels) + bytes(3 * channels)
    return b"\xff\xd8" + bytes((0xFF, marker)) + struct.pack(">H", len(frame) + 2) + frame


def bmp(header: int = 40, width: int = 50, height: int = 40, bits: int = 24, compression: int = 0) -> bytes:
    """A BMP that claims what the arguments say, with the pixels of RGB."""
    whole = bytearray(saved(RGB, "BMP"))
    struct.pack_into("<IiiHHI", whole, 14, header, width, height, 1, bits, compression)
    return bytes(whole)


DEEP = bytes(imagecodecs.png_encode(RGB.astype(np.uint16) << 8))
CMYK = io.BytesIO()
Image.new("CMYK", (64, 64)).save(CMYK, "JPEG")
ANIMATION = io.BytesIO()
Image.fromarray(RGB).save(ANIMATION, "PNG", save_all=True, append_images=[Image.fromarray(255 - RGB)])
BOMB = b"k\x00\x00" + zlib.compress(bytes(8 << 20))

REFUSED_IMAGES: list[tuple[str, bytes, type[BadSample], str]] = [
    ("27 empty", b"", BadSample, "empty"),
    ("28 random bytes", b"\x07random bytes" * 50, UnsupportedType, "unsupported_type"),
    ("29 half a PNG", saved(RGB)[: len(saved(RGB)) // 2], BadSample, "unreadable"),
    ("30 bad CRC", flipped(saved(RGB), 60), BadSample, "unreadable"),
    ("pixels missing", png_claiming(64, 64), BadSample, "unreadable"),
    ("pixels apart", with_pixels_apart(), BadSample, "unreadable"),
    ("31 88 MP", png_claiming(9400, 9400), TooLarge, "too_many_pixels"),
    ("32 2^31", png_claiming(2**31, 2**31), TooLarge, "too_many_pixels"),
    ("33 0 width", png_claiming(0, 64), BadSample, "too_small"),
    ("34 zTXt bomb", with_chunk(b"zTXt", BOMB), BadSample, "unreadable"),
    ("34 iCCP bomb", with_chunk(b"iCCP", BOMB), BadSample, "unreadable"),
    ("36 APNG", ANIMATION.getvalue(), BadSample, "multi_frame"),
    ("37 CMYK", CMYK.getvalue(), BadSample, "unsupported_encoding"),
    ("37 12-bit", sof(0xC1, precision=12), BadSample, "unsupported_encoding"),
    ("37 arithmetic", sof(0xC9), BadSample, "unsupported_encoding"),
    ("37 500 scans", sof(0xC2) + b"\xff\xda\x00\x08" * 500, BadSample, "unsupported_encoding"),
    ("JPEG 65500 x 65500", sof(0xC0, side=65500), TooLarge, "too_many_pixels"),
    ("half a JPEG", saved(RGB, "JPEG")[:700], BadSample, "unreadable"),
    *[
        (f"39 {kind}", saved(RGB, kind), UnsupportedType, "unsupported_type")
        for kind in ("GIF", "WEBP", "PDF", "EPS", "TGA")
    ],
    ("39 SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedType, "unsupported_type"),
    ("41 1 x 1", saved(RGB[:1, :1]), BadSample, "too_small"),
    ("41 8 x 8", saved(RGB[:8, :8]), BadSample, "too_small"),
    ("float TIFF", tiff(RGB.astype(np.float32)), BadSample, "rgb_dtype"),
    ("TIFF of 5 channels", tiff(np.dstack([RGB, RGB[..., :2]])), BadSample, "rgb_shape"),
    ("TIFF raw sensor", tiff(RGB[..., 0], photometric="cfa"), BadSample, "unsupported_encoding"),
    (
        "TIFF CMYK",
        tiff(np.dstack([RGB, RGB[..., 0]]), photometric="separated"),
        BadSample,
        "unsupported_encoding",
    ),
    ("half a 16-bit PNG", DEEP[: len(DEEP) // 2], BadSample, "unreadable"),
    ("16-bit PNG, bad CRC", flipped(DEEP, 60), BadSample, "unreadable"),
    ("two PNG headers", DEEP[:33] + DEEP[8:], BadSample, "unreadable"),
    ("half a BMP", saved(RGB, "BMP")[:3000], BadSample, "unreadable"),
    ("BMP head", saved(RGB, "BMP")[:20], BadSample, "unreadable"),
    ("BMP 2^31", bmp(width=2**31 - 1, height=2**31 - 1), TooLarge, "too_many_pixels"),
    ("BMP negative", bmp(width=-50), BadSample, "too_small"),
    ("BMP OS/2", bmp(header=12), BadSample, "unsupported_encoding"),
    ("BMP run lengths", bmp(bits=8, compression=1), BadSample, "unsupported_encoding"),
    ("BMP with a JPEG", bmp(compression=4), BadSample, "unsupported_encoding"),
    ("BMP 16 bits", bmp(bits=16), BadSample, "unsupported_encoding"),
    ("BMP other masks", bmp(bits=32, compression=3), BadSample, "unsupported_encoding"),
]


def _ply() -> bytes:
    head = ply_header(
        "obj_info num_cols 50\nobj_info num_rows 40\nelement vertex 2000\nproperty float x\n"
        "property float y\nproperty float z"
    )
    return head[:-200] + XYZ.tobytes()


def ply_text(between: bytes = b"\n") -> bytes:
    head = _ply()[: -XYZ.nbytes].replace(b"binary_little_endian", b"ascii")
    lines = (" ".join(map(str, point)) for point in XYZ.reshape(-1, 3).tolist())
    return head + between.join(line.encode() for line in lines)


REFUSED_CLOUDS: list[tuple[str, bytes, type[BadSample], str]] = [
    ("43 2^20", tiff_claiming(t256=2**20, t257=2**20), TooLarge, "too_many_pixels"),
    ("43 1000 x 1000 claimed", tiff_claiming(t256=1000, t257=1000), TooLarge, "compression_ratio"),
    (
        "44 bomb",
        tiff(np.zeros((1000, 1000, 3), np.float32), compression="zlib"),
        TooLarge,
        "compression_ratio",
    ),
    ("44 LZW", tiff(np.zeros((1000, 1000, 3), np.float32), compression="lzw"), TooLarge, "compression_ratio"),
    ("45 tiles", tiff_claiming(t322=2**20, t323=2**20, t324=8, t325=100), TooLarge, "too_many_bytes_decoded"),
    ("46 circular", circular_tiff(), BadSample, "multi_page"),
    ("46 pages", tiff(XYZ, photometric="minisblack"), BadSample, "multi_page"),
    ("47 IFD offset", b"II*\x00\xff\xff\xff\xff" + bytes(99), BadSample, "unreadable"),
    ("48 past the end", tiff_claiming(t273=10**6, t279=24000), BadSample, "unreadable"),
    ("48 too short", tiff_claiming(t279=99), BadSample, "unreadable"),
    *[
        (f"49 compression {code}", tiff_claiming(t259=code), UnsupportedType, "unsupported_compression")
        for code in (6, 7, 34712, 34887, 50000, 50001, 9999)
    ],
    *[
        (f"51 {dtype}", tiff(XYZ.astype(dtype)), BadSample, "xyz_dtype")
        for dtype in ("uint16", "float16", "int32", "complex64")
    ],
    *[
        (
            f"53 {shape}",
            tiff(np.ones(shape, "f4"), photometric="minisblack", planarconfig="contig"),
            BadSample,
            code,
        )
        for shape, code in (((40, 50, 2), "xyz_shape"), ((40, 50, 4), "xyz_shape"))
    ],
    ("53 1 channel", tiff(XYZ[..., 0], photometric="minisblack"), BadSample, "xyz_shape"),
    ("56 objects", npy(np.array([[[{}]]], dtype=object)), BadSample, "npy_dtype"),
    (
        "57 10^12",
        npy_claiming("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000, 3)}"),
        TooLarge,
        "too_many_bytes_decoded",
    ),
    (
        "57 1 GB header",
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**30) + bytes(64),
        TooLarge,
        "too_many_bytes",
    ),
    ("57 version", b"\x93NUMPY\x07\x00" + bytes(128), BadSample, "unreadable"),
    ("57 nested", npy_claiming("(" * 110), BadSample, "unreadable"),
    ("58 npz", npz(xyz=XYZ), UnsupportedType, "unsupported_type"),
    ("68 over 9 MP", tiff_claiming(t256=3001, t257=3000), TooLarge, "too_many_pixels"),
    ("random", b"no cloud at all", UnsupportedType, "unsupported_type"),
    ("PNG", saved(RGB), BadSample, "xyz_shape"),
    ("PCD list", pcd_header(HEIGHT="1", WIDTH="2000"), BadSample, "unorganised_cloud"),
    ("PCD short", pcd_header(), BadSample, "unreadable"),
    ("PCD sizes", pcd_header(POINTS="7"), BadSample, "unreadable"),
    ("PCD huge", pcd_header(WIDTH="99999", HEIGHT="99999", POINTS="9999800001"), TooLarge, "too_many_pixels"),
    ("PCD count", pcd_header(COUNT="1 1 -1"), BadSample, "unreadable"),
    ("PCD no z", pcd_header(FIELDS="x y w"), BadSample, "cloud_fields"),
    ("PCD ints", pcd_header(TYPE="I I I"), BadSample, "cloud_fields"),
    ("PCD LZF", pcd_header(DATA="binary_compressed"), BadSample, "unreadable"),
    ("PCD ascii", pcd_header(DATA="ascii"), BadSample, "unreadable"),
    ("PLY list", ply_header("element vertex 9\nproperty float x"), BadSample, "unorganised_cloud"),
    (
        "PLY short",
        ply_header(
            "obj_info num_cols 50\nobj_info num_rows 40\nelement vertex 2000\nproperty float x\n"
            "property float y\nproperty float z"
        ),
        BadSample,
        "unreadable",
    ),
    (
        "PLY lists",
        ply_header("element vertex 2000\nproperty list uchar float x"),
        BadSample,
        "cloud_fields",
    ),
    ("PLY one line", ply_text(b" "), BadSample, "unreadable"),
    ("PLY no end", b"ply\n" + b"comment x\n" * 10_000, BadSample, "unreadable"),
]


@pytest.mark.parametrize(
    ("content", "error", "code"), [case[1:] for case in REFUSED_IMAGES], ids=[c[0] for c in REFUSED_IMAGES]
)
def test_images_refused(content: bytes, error: type[BadSample], code: str) -> None:
    with pytest.raises(BadSample) as refused:
        read_rgb(content)
    assert (type(refused.value), refused.value.code) == (error, code)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("content", "error", "code"), [case[1:] for case in REFUSED_CLOUDS], ids=[c[0] for c in REFUSED_CLOUDS]
)
def test_clouds_refused(content: bytes, error: type[BadSample], code: str) -> None:
    with pytest.raises(BadSample) as refused:
        read_part({"xyz": content})
    assert (type(refused.value), refused.value.code, refused.value.field) == (error, code, "xyz")
    assert str(refused.value).endswith(".")


def test_one_colour_images_are_images() -> None:
    for value in (0, 255):
        assert (read_rgb(saved(np.full((2000, 2000, 3), value, np.uint8))) == value).all()


def test_limits_on_bytes() -> None:
    limits = ReadLimits(rgb_bytes=100, xyz_bytes=100)
    for read, content in ((read_rgb, saved(RGB)), (read_cloud, tiff(XYZ))):
        with pytest.raises(TooLarge):
            read(content, limits)


def zipped(*entries: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "error", "code"),
    [
        (zipped(("../xyz.npy", npy(XYZ))), BadSample, "npz_entries"),
        (zipped(("rgb.npy", npy(RGB)), ("evil.pkl", b"")), BadSample, "npz_entries"),
        (zipped(*((f"{i}.npy", b"") for i in range(1000))), TooLarge, "too_many_entries"),
        (zipped(("xyz.npy", npy(np.zeros((1000, 1000, 3), "f4")))), TooLarge, "compression_ratio"),
        (zipped(("xyz.npy", b"\x93NUMPY\x01\x00")), BadSample, "unreadable"),
        (zipped(), UnsupportedType, "unsupported_type"),
        (npz(depth=np.ones((40, 50), "u2"), rgb=RGB), BadSample, "npz_entries"),
        (npz(rgb=RGB.astype("f4"), xyz=XYZ), BadSample, "rgb_dtype"),
        (npz(rgb=RGB[:39], xyz=XYZ), BadSample, "size_mismatch"),
        (npz(rgb=RGB, xyz=XYZ, xyz_unit=np.array(None)), BadSample, "npy_dtype"),
        (npz(rgb=RGB, xyz=XYZ.reshape(-1, 3)), BadSample, "unorganised_cloud"),
        (b"PK\x03\x04" + bytes(500), BadSample, "unreadable"),
    ],
)
def test_npz_refused(content: bytes, error: type[BadSample], code: str) -> None:
    with pytest.raises(BadSample) as refused:
        read_part({"sample": content})
    assert (type(refused.value), refused.value.code) == (error, code)


def hardly_filled(shape: tuple[int, ...], dtype: str) -> bytes:
    """An NPY that deflates to a fiftieth or so: little enough to be a bomb, too much to be seen by the
    ratio."""
    array = np.zeros(shape, dtype)
    flat = array.view("u1").reshape(-1)
    flat[::100] = np.random.default_rng(0).integers(0, 255, flat[::100].size)
    return npy(array)


SCENE = {"rgb": ((3600, 3800, 3), "u1"), "xyz": ((1800, 1900, 3), "f4")}
SMALL = dict.fromkeys(("xyz_scale", "xyz_offset", "intrinsics"), ((5000000,), "f8"))


@pytest.mark.parametrize(
    ("entries", "limits"),
    [
        (SCENE | SMALL | {"depth": ((2000, 2000), "f8")}, ReadLimits()),
        ({"xyz": ((40, 50, 3), "f4"), "xyz_scale": ((12_000_000,), "f8")}, ReadLimits()),
        (SCENE, ReadLimits(decoded_bytes=64 << 20)),
    ],
    ids=["six large entries", "a scale of 96 MB", "together too large"],
)
def test_npz_bombs_are_refused_before_they_are_inflated(
    entries: dict[str, tuple[tuple[int, ...], str]], limits: ReadLimits
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (shape, dtype) in entries.items():
            archive.writestr(f"{name}.npy", hardly_filled(shape, dtype))
    content = stream.getvalue()
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge) as refused:
            read_part({"sample": content}, limits=limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.code == "too_many_bytes_decoded"
    assert peak < 4 << 20


def test_unorganised_real_cloud_says_why() -> None:
    head = (
        (CLOUDS / "milk.pcd")
        .read_bytes()
        .replace(b"HEIGHT 240", b"HEIGHT 1")
        .replace(b"WIDTH 320", b"WIDTH 76800")
    )
    with pytest.raises(BadSample, match="one point for every pixel"):
        read_cloud(head)


def _with_text(note: bytes, line: bytes) -> bytes:
    """A PLY of text with a note in its header, and a line that is skipped before the points."""
    return (
        ply_text()
        .replace(b"element", note + b"\nelement line 1\nproperty float w\nelement", 1)
        .replace(b"end_header\n", b"end_header\n" + line + b"\n")
    )


@pytest.mark.parametrize(
    ("note", "line"),
    [
        (b"comment width" + b" " * 60_000 + b"x", b"0"),
        (b"comment unit" + b" " * 16_000 + b"x", b"0"),
        (b"", b"nan(" * 16_000),
    ],
    ids=["size", "unit", "no number"],
)
def test_text_of_any_form_is_searched_once(note: bytes, line: bytes) -> None:
    def seconds(content: bytes) -> float:
        start = time.process_time()
        assert read_cloud(content).xyz.shape == XYZ.shape
        return time.process_time() - start

    plain = _with_text(b"comment " + b"x" * len(note), b"x" * len(line))
    assert seconds(_with_text(note, line)) < 20 * seconds(plain)


def test_depth_of_a_wrong_kind() -> None:
    camera = Intrinsics(1, 1, 0, 0)
    with pytest.raises(BadSample, match="16-bit"):
        depth_cloud(saved(RGB), camera)
    with pytest.raises(BadSample) as refused:
        depth_cloud(tiff(RGB), camera)
    assert refused.value.code in ("depth_shape", "depth_dtype")


def test_a_signalling_nan_in_heights_is_no_return() -> None:
    heights = XYZ[..., 2].copy()
    heights.view(np.uint32)[3, 4] = 0x7FA00001
    pitches = {"x_pitch": b"0.001", "y_pitch": b"0.001"}
    sample = read_part({"xyz": npy(heights), "rgb": saved(RGB), **pitches})
    assert np.argwhere(~sample.valid).tolist() == [[3, 4]]


def _ply_grid(text: bool) -> bytes:
    """Points and a range grid. Every place has a point."""
    count = XYZ[..., 0].size
    head = (
        f"ply\nformat {'ascii' if text else 'binary_little_endian'} 1.0\nobj_info num_cols 50\n"
        f"obj_info num_rows 40\nelement vertex {count}\nproperty float x\nproperty float y\n"
        f"property float z\nelement range_grid {count}\nproperty list uchar int vertex_indices\nend_header\n"
    ).encode()
    if not text:
        return head + XYZ.tobytes() + b"".join(struct.pack("<Bi", 1, place) for place in range(count))
    lines = [f"{x} {y} {z}" for x, y, z in XYZ.reshape(-1, 3)] + [f"1 {place}" for place in range(count)]
    return head + "\n".join(lines).encode()


Reader = Callable[[bytes], object]
WHOLE: dict[str, tuple[Reader, bytes]] = {
    "png": (read_rgb, saved(RGB)),
    "jpeg": (read_rgb, saved(RGB, "JPEG")),
    "jpeg progressive": (read_rgb, saved(RGB, "JPEG", progressive=True)),
    "png 16": (read_rgb, DEEP),
    "tiff rgb": (read_rgb, tiff(RGB)),
    "bmp": (read_rgb, saved(RGB, "BMP")),
    "tiff": (read_cloud, tiff(XYZ)),
    "tiff deflate": (read_cloud, tiff(XYZ, compression="zlib", rowsperstrip=8)),
    "tiff lzw": (read_cloud, tiff(XYZ, compression="lzw", predictor=True)),
    "tiff packbits": (read_cloud, tiff(XYZ, compression="packbits")),
    "bigtiff": (read_cloud, tiff(XYZ, bigtiff=True, byteorder=">")),
    "tiles": (read_cloud, tiff(XYZ, tile=(16, 16))),
    "npy": (read_cloud, npy(XYZ)),
    "ply": (read_cloud, _ply()),
    "ply ascii": (read_cloud, ply_text()),
    "ply grid": (read_cloud, _ply_grid(text=False)),
    "ply grid ascii": (read_cloud, _ply_grid(text=True)),
    "pcd": (read_cloud, pcd_header()[:-64] + XYZ.tobytes()),
    "pcd lzf": (read_cloud, (CLOUDS / "office.pcd").read_bytes()),
    "npz": (lambda data: read_part({"sample": data}), npz(rgb=RGB, xyz=XYZ)),
    "depth": (
        lambda data: depth_cloud(data, Intrinsics(50, 50, 25, 20)),
        saved((XYZ[..., 2] * 1000).astype(np.uint16)),
    ),
}


def survives(reader: Reader, content: bytes) -> None:
    """Either the BadSample family or an array of the promised shape and dtype. Two changed bytes can make a
    cloud's header that of a file with heights."""
    try:
        result = reader(content)
    except BadSample:
        return
    array = result if isinstance(result, np.ndarray) else getattr(result, "xyz", None)
    assert isinstance(array, np.ndarray)
    if isinstance(result, Stored) and array.ndim == 2:
        assert np.issubdtype(array.dtype, np.number)
        assert min(array.shape) >= 32
        return
    assert array.dtype == (np.uint8 if reader is read_rgb else np.float32)
    assert array.ndim == 3
    assert array.shape[2] == 3
    assert min(array.shape[:2]) >= 32


@pytest.mark.parametrize("name", WHOLE)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_random_damage(name: str, data: st.DataObject) -> None:
    reader, whole = WHOLE[name]
    survives(reader, whole)
    content = bytearray(whole)
    near_head = st.integers(0, min(len(whole), 600) - 1)
    places = st.one_of(
        near_head, st.integers(0, len(whole) - 1), st.integers(max(0, len(whole) - 400), len(whole) - 1)
    )
    for at in data.draw(st.lists(places, max_size=6)):
        content[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    survives(reader, bytes(content))
