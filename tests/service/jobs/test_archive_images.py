"""An image of every kind gives the same pixels by file, folder, zip, upload and a running server."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from banks.detector import PartResult
from models.readers import ReadLimits, read_files, read_part
from models.readers.product_folder import open_product_folder
from models.sample import BadSample, Sample
from recipes.sensor import Sensor
from service.http.forms import FormReader
from service.http.uploads import MAX_FIELDS, Fields, UploadLimits
from service.jobs.archive import ArchiveLimits, PartsArchive
from service.settings import Settings, read_settings
from tests.models.readers.image_kinds import KINDS, SHAPE, Kind, tiff
from tests.service.conftest import BrightnessDetector, OneProduct, serving

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


class KeepingDetector(BrightnessDetector):
    """Keeps the samples that it scored."""

    def __init__(self) -> None:
        super().__init__()
        self.scored: list[Sample] = []

    def score(self, samples: Sequence[Sample]) -> list[PartResult | BadSample]:
        self.scored.extend(samples)
        return super().score(samples)


class Line:
    """A client of a running server, and the samples that the server scored."""

    def __init__(self, client: httpx.Client, detector: KeepingDetector) -> None:
        self._client = client
        self._scored = detector.scored

    def sent(self, kind: Kind, folder_zip: Path) -> list[Sample]:
        """The samples of one part that comes as a form, and in a batch."""
        self._scored.clear()
        product = "/v1/products/cookie"
        files = {"rgb": kind.content, "xyz": CLOUD}
        words: dict[str, Any] = {} if kind.bits is None else {"image_bits": str(kind.bits)}
        form = self._client.post(f"{product}/score", files=files, data=words)
        batch = self._client.post(
            f"{product}/batch",
            content=folder_zip.read_bytes(),
            headers={"Content-Type": "application/zip"},
        )
        assert form.json()["score"] == json.loads(batch.text)["score"]
        return list(self._scored)


@pytest.fixture(scope="module")
def line(strict_settings: Settings) -> Iterator[Line]:
    detector = KeepingDetector()
    with serving(strict_settings, OneProduct(detector)) as running, running.client() as client:
        yield Line(client, detector)


def zip_of(folder: Path) -> Path:
    file = folder.with_suffix(".zip")
    with zipfile.ZipFile(file, "w") as written:
        for path in folder.rglob("*.*"):
            written.write(path, path.relative_to(folder).as_posix())
    return file


def unzipped(file: Path) -> dict[str, bytes]:
    """The fields of the one part in a zip."""
    with closing(PartsArchive(file, ArchiveLimits(10, 1 << 20))) as archive:
        (part,) = archive.parts
        return archive.read(part, ReadLimits())


@pytest.mark.parametrize("name", KINDS)
def test_every_way_gives_the_same_pixels(name: str, line: Line, tmp_path: Path) -> None:
    kind = KINDS[name]
    sensor, folder = Sensor(image_bits=kind.bits), tmp_path / "parts"
    files = {"rgb": folder / "rgb" / f"0{kind.suffix}", "xyz": folder / "xyz" / "0.tiff"}
    for path, content in zip(files.values(), (kind.content, CLOUD), strict=True):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    words = {} if kind.bits is None else {"image_bits": kind.bits}
    (part,) = open_product_folder(folder).train
    packed = zip_of(folder)
    samples = [
        read_files(files, sensor),
        part.read(sensor),
        read_part(unzipped(packed), sensor),
        read_part(uploaded({"rgb": kind.content, "xyz": CLOUD}), sensor),
    ]
    (folder / "sensor.json").write_text(json.dumps(words))
    samples += line.sent(kind, zip_of(folder))
    assert len(samples) == 6
    for sample in samples:
        np.testing.assert_array_equal(sample.rgb, kind.rgb)
        assert sample.valid.all()
