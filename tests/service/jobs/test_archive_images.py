"""An image of every kind gives the same pixels by file, folder, zip and upload."""

from __future__ import annotations

import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from models.readers import ReadLimits, read_files, read_part
from models.readers.product_folder import open_product_folder
from recipes.sensor import Sensor
from service.http.forms import FormReader
from service.http.uploads import MAX_FIELDS, Fields, UploadLimits
from service.jobs.archive import ArchiveLimits, PartsArchive
from service.settings import read_settings
from tests.models.readers.image_kinds import KINDS, SHAPE, tiff

CLOUD = tiff(np.random.default_rng(3).uniform(0.1, 1, (*SHAPE, 3)).astype(np.float32))


def uploaded(fields: dict[str, bytes]) -> dict[str, bytes]:
    """The fields after their way through a form."""
    content = Fields(UploadLimits.of(read_settings()).fields)
    form = FormReader(b"b", content, most_fields=MAX_FIELDS)
    for name, data in fields.items():
        form.feed(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + data + b"\r\n")
    form.feed(b"--b--\r\n")
    form.finish()
    return content.content()


def zipped(folder: Path) -> dict[str, bytes]:
    """The fields of the one part in a zip of the folder."""
    file = folder.with_suffix(".zip")
    with zipfile.ZipFile(file, "w") as written:
        for path in folder.rglob("*.*"):
            written.write(path, path.relative_to(folder).as_posix())
    with closing(PartsArchive(file, ArchiveLimits(10, 1 << 20))) as archive:
        (part,) = archive.parts
        return archive.read(part, ReadLimits())


@pytest.mark.parametrize("name", KINDS)
def test_every_way_gives_the_same_pixels(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    sensor, folder = Sensor(image_bits=kind.bits), tmp_path / "parts"
    files = {"rgb": folder / "rgb" / f"0{kind.suffix}", "xyz": folder / "xyz" / "0.tiff"}
    for path, content in zip(files.values(), (kind.content, CLOUD), strict=True):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    (part,) = open_product_folder(folder).train
    for sample in (
        read_files(files, sensor),
        part.read(sensor),
        read_part(zipped(folder), sensor),
        read_part(uploaded({"rgb": kind.content, "xyz": CLOUD}), sensor),
    ):
        np.testing.assert_array_equal(sample.rgb, kind.rgb)
        assert sample.valid.all()
