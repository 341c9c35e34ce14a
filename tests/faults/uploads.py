"""Malformed uploads of every format, made from good ones by a seed."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator, Mapping, Sequence

import httpx
import numpy as np

from tests.faults.bench import SCORE, Bench
from tests.faults.case import Case, Outcome
from tests.models.readers.test_readers import npy, npz, pcd, ply, png, tiff

WARM_UP = 200  # uploads before the memory is looked at
MOST_MB = 64.0
DELIBERATE = {503, 504}
MATCHING = 0.05
"""Of the uploads: image and cloud have the same size, so that one that is whole after all is scored."""
Fields = dict[str, bytes]


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Each upload on one connection, and the next."""
    seeds = Seeds()
    with bench.serving("uploads") as served, served.client() as client:
        first = 0.0
        for place, number in enumerate(numbers):
            if place == min(WARM_UP, len(numbers) // 2):
                first = served.memory_mb()
            content, kind, what = seeds.upload(random.Random(number))
            try:
                status = client.post(SCORE, content=content, headers={"Content-Type": kind}).status_code
            except httpx.TransportError as error:
                status = 0
                what = f"{what}: {type(error).__name__}"
            good = status in DELIBERATE or 0 < status < 500
            yield Outcome(number, str(status) if status else "no answer", good, what)
        grown = served.memory_mb() - first
        answer = client.post(SCORE, files=bench.scene.form)
    yield Outcome(None, "memory grew by", grown < MOST_MB, f"{grown:.0f} MB")
    yield Outcome(None, "a good part after them:", answer.status_code == 200, str(answer.status_code))


class Seeds:
    """Good files of every format that is read, and what a seed makes of them."""

    def __init__(self) -> None:
        y, x = np.mgrid[0:48, 0:64].astype(np.float32) / 64
        xyz = np.stack([0.2 * x, 0.2 * y, 0.5 + 0.02 * np.sin(6 * x)], axis=-1).astype(np.float32)
        rgb = (255 * np.stack([x, y, x * y], axis=-1)).astype(np.uint8)
        self.clouds = {
            "tiff": tiff(xyz),
            "tiff zlib": tiff(xyz, compression="zlib", predictor=True),
            "npy": npy(xyz),
            "ply": ply(xyz, rgb),
            "ply text": ply(xyz, text=True),
            **{
                f"pcd {encoding}": pcd(xyz, encoding) for encoding in ("ascii", "binary", "binary_compressed")
            },
        }
        self.images = {
            "png": png(rgb),
            "png grey": png(rgb[..., 0]),
            "jpeg": png(rgb, "JPEG"),
            "tiff": tiff(rgb),
            "webp": png(rgb, "WEBP"),
        }
        millimetres = np.rint(1000 * xyz[..., 2]).astype(np.uint16)
        self.depths = {
            "png": png(millimetres),
            "tiff": tiff(millimetres, photometric="minisblack"),
            "npy": npy(millimetres),
        }
        lens = {"fx": 60, "fy": 60, "cx": 32, "cy": 24, "depth_scale": 0.001}
        self.intrinsics = {"json": json.dumps(lens).encode()}
        integers = np.rint(xyz / 2e-4).astype(np.int16)
        self.samples = {
            "npz": npz(rgb=rgb, xyz=xyz),
            "npz of integers": npz(rgb=rgb, xyz=integers, xyz_scale=np.array(2e-4)),
            "npz of depth": npz(rgb=rgb, depth=millimetres, **{k: np.array(v) for k, v in lens.items()}),
            "zip": _zipped({"rgb.npy": npy(rgb), "xyz.npy": npy(xyz)}),
        }
        self.smaller = {"rgb": png(rgb[:40]), "xyz": tiff(xyz[:40])}
        """The other half of a pair: a file that is whole after all is decoded, and then fits nothing."""

    def upload(self, draw: random.Random) -> tuple[bytes, str, str]:
        """Body, its media type, and in a word what was done."""
        fields, what = self._fields(draw)
        body = _form(fields)
        if draw.random() < 0.15:
            body = malformed(body, draw)
            what = f"form of {what}"
        kind = "multipart/form-data; boundary=b"
        if "sample" in fields and draw.random() < 0.5:
            return fields["sample"], "application/octet-stream", what
        if draw.random() < 0.03:
            kind = draw.choice(("multipart/form-data", "text/plain", f"{kind}{'b' * 80}", "multipart/mixed"))
        return body, kind, what

    def _fields(self, draw: random.Random) -> tuple[Fields, str]:
        form = draw.choice(("rgb", "xyz", "xyz", "sample", "depth", "coloured"))
        if form == "sample":
            name, content = _chosen(self.samples, draw)
            return {"sample": malformed(content, draw)}, name
        if form == "coloured":
            return {"xyz": malformed(self.clouds["ply"], draw)}, "coloured ply"
        if form == "depth":
            name, content = _chosen(self.depths, draw)
            hit = draw.choice(("depth", "intrinsics"))
            fields = {"rgb": self.smaller["rgb"], "depth": content, "intrinsics": self.intrinsics["json"]}
            return {**fields, hit: malformed(fields[hit], draw)}, f"{hit} {name}"
        name, content = _chosen(self.images if form == "rgb" else self.clouds, draw)
        matching = draw.random() < MATCHING
        whole = {"rgb": self.images["png"], "xyz": self.clouds["tiff"]} if matching else self.smaller
        return {**whole, form: malformed(content, draw)}, f"{form} {name}"


def _chosen(files: Mapping[str, bytes], draw: random.Random) -> tuple[str, bytes]:
    name = draw.choice(list(files))
    return name, files[name]


def malformed(content: bytes, draw: random.Random) -> bytes:
    """A few of the ways in which a file can be wrong."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        content = draw.choice(_WAYS)(content, draw)
    return content


def _flips(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 2, 8, 64))):
        if changed:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _number(content: bytes, draw: random.Random) -> bytes:
    """An extreme number somewhere in the first bytes, where headers are."""
    size = draw.choice((2, 4, 8))
    value = draw.choice((0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1, 0x10001))
    number = (value % 2 ** (8 * size)).to_bytes(size, draw.choice(("little", "big")))
    at = draw.randrange(min(len(content), 256) + 1)
    return content[:at] + number + content[at + size :]


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _more(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.randbytes(draw.choice((1, 16, 4096))) + content[at:]


def _again(content: bytes, draw: random.Random) -> bytes:
    """A stretch twice."""
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:last] + content[last:]


def _moved(content: bytes, draw: random.Random) -> bytes:
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:] + content[first:last]


def _run_of(content: bytes, draw: random.Random) -> bytes:
    at, size = draw.randrange(len(content) + 1), draw.choice((4, 64, 1024))
    return content[:at] + draw.choice((b"\0", b"\xff", b" ", b"9")) * size + content[at + size :]


def _words(content: bytes, draw: random.Random) -> bytes:
    """A word of a text header made another."""
    old, new = draw.choice(
        ((b"float", b"double"), (b"64", b"99999999"), (b"48", b"-1"), (b"<f4", b"|O8"), (b"False", b"True"),
         (b"binary", b"ascii"), (b"rgb", b"xyz"), (b"xyz", b"\xff\xfe"), (b"\r\n", b"\n"), (b"name", b"nome"))
    )  # fmt: skip
    return content.replace(old, new, draw.choice((1, -1)))


_WAYS = (_flips, _number, _number, _cut, _more, _again, _moved, _run_of, _words)


def _form(fields: Mapping[str, bytes]) -> bytes:
    pieces = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in fields.items()
    ]
    return b"".join(pieces) + b"--b--\r\n"


def _zipped(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


CASE = Case("uploads", "malformed uploads of every format, from seeds", 10_000, run, "R5, R7, R14")
