"""A real server on loopback with a small detector in it, and parts to send."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
import tifffile
import uvicorn
from PIL import Image

from banks.decision.calibration import Calibration
from banks.decision.part_scores import PartScores
from banks.decision.regions import find_regions
from banks.decision.verdict import Verdict
from banks.detector import PartResult
from banks.methods.evidence import Evidence
from banks.methods.method import Finding
from banks.versions.manifest import Manifest
from models.layout import GridLayout
from models.preparation.prepare import prepare
from models.sample import BadSample, Sample, make_sample
from recipes.preparation import Preparation
from service.app import create_app
from service.engine.detectors import Loaded, Size
from service.http.protocol import protocol_for
from service.server import Server
from service.settings import Settings
from service.watch.log_lines import LogLines
from service.watch.logs import make_logger
from tests.faults.warm import Warm
from tests.service.document import document
from tests.waiting import until

if TYPE_CHECKING:
    from tests.service.postgres import Postgres

PRODUCT = "cookie"
AS_IS = Preparation(background="none")


class BrightnessDetector:
    """Scores a part by its brightest pixel; honours the contract of banks.detector.Detector."""

    def __init__(self, product: str = PRODUCT, version: str = "v1", preparation: Preparation = AS_IS) -> None:
        self.product = product
        self.version = version
        scores = (0.2, 0.4, 0.6)
        calibration = Calibration(0.8, "extrapolated", 0.01, scores, scores, 0.7, (0.5, 0.9))
        self.manifest = Manifest.model_construct(
            product=product,
            created=datetime(2026, 1, 1, tzinfo=UTC),
            profile=SimpleNamespace(name="embedded", preparation=preparation),
            training_parts=("000", "001"),
            calibration=calibration,
        )
        self.calibration = calibration
        self.coverage = None
        self.before: Callable[[], None] = lambda: None
        self.warm_ups = 0

    def score(self, samples: Sequence[Sample]) -> list[PartResult | BadSample]:
        self.before()
        return [self._score(sample) for sample in samples]

    def _score(self, sample: Sample) -> PartResult | BadSample:
        try:
            prepared = prepare(sample, self.manifest.profile.preparation)
        except BadSample as error:
            return error
        bright = (prepared.rgb.max(axis=2) / np.float32(255)).astype(np.float32)
        score = float(bright.max())
        limits = self.manifest.calibration
        finding = Finding(bright.ravel(), GridLayout(len(bright)), score)
        return PartResult(
            scores=PartScores({"rgb": finding}, len(bright), maps={"rgb": bright}, places={}),
            verdict=Verdict({"rgb": score}, None, bright),
            threshold=limits.threshold,
            threshold_source="calibration",
            relative_score=limits.relative(score),
            regions=find_regions(
                bright, limits.pixel_threshold, prepared.frame, prepared.xyz, prepared.valid
            ),
            evidence={"rgb": Evidence((1.0, 2.0), score, "train/good/000", (0.5, 0.5))},
            prepared=prepared,
            timings_ms={"search": 1.0},
        )

    def warm_up(self) -> None:
        self.warm_ups += 1


class OneProduct:
    """A loader of ready-made detectors: of each product's the first is active, of size 1 each."""

    def __init__(self, *detectors: Any) -> None:
        self._detectors: dict[tuple[str, str], Any] = {}
        self.actives: dict[str, str] = {}
        self.shadows: dict[str, str] = {}
        self.loads: list[tuple[str, str]] = []
        self.shared = False  # whether other servers may activate versions
        for detector in detectors:
            self.add(detector)

    def add(self, detector: Any) -> None:
        self._detectors[detector.product, detector.version] = detector
        self.actives.setdefault(detector.product, detector.version)

    def products(self) -> list[str]:
        return sorted(self.actives)

    def active(self, product: str) -> str | None:
        return self.actives.get(product)

    def shadow(self, product: str) -> str | None:
        return self.shadows.get(product)

    def size(self, product: str, version: str) -> Size:
        return Size(1)

    def stamp(self, product: str, version: str | None) -> Any:
        return self._detectors.get((product, version)) if version else tuple(self._detectors)

    def calibration(self, detector: Any) -> Calibration:
        return detector.calibration

    def superseded(self, product: str, version: str) -> bool:
        return self.shared and self.actives.get(product) != version

    def load(self, product: str, version: str | None = None) -> Loaded:
        key = product, version or self.actives[product]
        self.loads.append(key)
        return Loaded(self._detectors[key])


class Running:
    """A server under test. log: its JSON lines."""

    def __init__(self, server: Server, stream: io.StringIO, app: Any) -> None:
        self.server = server
        self.app = app
        self.host, self.port = server.servers[0].sockets[0].getsockname()[:2]
        self.url = server.address
        self._stream = stream

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines so far. A client may have its answer a moment before the line is written."""
        until = time.monotonic() + 0.5
        while self.server.server_state.tasks and time.monotonic() < until:
            time.sleep(0.005)
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    def client(self, **options: Any) -> httpx.Client:
        """verify: there is no TLS here, and reading certificates costs more than a request."""
        return httpx.Client(base_url=self.url, timeout=20, trust_env=False, verify=False, **options)

    def post(self, body: bytes, *, headers: bytes = b"", path: bytes = b"/v1/products/cookie/score") -> bytes:
        """Post a form with the boundary `b`, byte for byte."""
        kind = b"Content-Type: multipart/form-data; boundary=b\r\n"
        length = b"Content-Length: %d\r\n" % len(body)
        return self.raw(
            b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + kind + length + headers + b"\r\n" + body
        )

    def raw(self, data: bytes, *, timeout: float = 10.0, end: bool = False) -> bytes:
        """What the server sends back for these bytes, until it closes or says nothing more."""
        with socket.create_connection((self.host, self.port), timeout) as connection:
            try:
                connection.sendall(data)
                if end:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return received(connection)

    def ready(self) -> None:
        with self.client() as client:
            until(lambda: client.get("/readyz").status_code == 200, "a server that is ready", every=0.03)


def received(connection: socket.socket) -> bytes:
    """All that arrives until the other side closes, or a whole response with a length is there."""
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
            head, end, body = answer.partition(b"\r\n\r\n")
            if end and b"content-length: " in head.lower():
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                if len(body) >= length:
                    break
    except (TimeoutError, ConnectionResetError):
        pass
    return answer


@contextmanager
def serving(
    settings: Settings,
    loader: Any,
    *,
    wait: bool = True,
    state: Path | None = None,
    kinds: Sequence[Any] = (),
    lines: LogLines | None = None,
    port: int = 0,
) -> Iterator[Running]:
    """A real uvicorn in a thread, on a free port. state: its state folder, if it is to outlive the server.
    lines: where its log goes, instead of to memory. port: where it listens; 0 takes a free one."""
    stream = io.StringIO()
    lost = {"lines_lost": lambda: lines.lost} if lines else {}
    with TemporaryDirectory() as fresh:
        settings = settings.model_copy(update={"state": state or Path(fresh)})
        app = create_app(settings, loader=loader, logger=make_logger(lines or stream), **lost)
        app.openapi = document
        app.state.shared.records.patience_s = 100.0  # a busy machine's answers too come after their records
        for kind in kinds:
            app.state.shared.jobs.register(kind)
        with _running(app, settings, stream, port) as running:
            if wait:
                running.ready()
            yield running


@contextmanager
def _running(app: Any, settings: Settings, stream: io.StringIO, port: int) -> Iterator[Running]:
    config = uvicorn.Config(
        app,
        port=port,
        http=protocol_for(settings),
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=5,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started, "a server that has started")
        yield Running(server, stream, app)
    finally:
        server.should_exit = True
        thread.join(15)


@pytest.fixture
def quick_builds(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's builds start without the seconds that imports cost."""
    monkeypatch.setattr("service.commands.TRIBANK", warm.tribank)


@pytest.fixture(scope="session")
def strict_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Small limits, so that the tests of limits are short."""
    return Settings(
        banks=tmp_path_factory.mktemp("banks"),
        max_body_bytes=3_000_000,
        max_rgb_bytes=1_000_000,
        max_xyz_bytes=2_000_000,
        body_timeout_s=1.0,
        head_timeout_s=1.0,
        deadline_s=10.0,
    )


@pytest.fixture(scope="session")
def server(strict_settings: Settings) -> Iterator[Running]:
    with serving(strict_settings, OneProduct(BrightnessDetector())) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of PostgreSQL, one for all tests."""
    from tests.service.postgres import Postgres, programs

    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed: sudo apt-get install postgresql")
    server = Postgres(found)
    yield server
    server.remove()


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The URI of an empty database."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest) -> str | None:
    """Where a store keeps its rows: a SQLite file (None), then a database of PostgreSQL."""
    return None if request.param == "sqlite" else request.getfixturevalue("database")


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def png(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


def tiff(xyz: np.ndarray) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, xyz, photometric="rgb")
    return file.getvalue()


def surface(height: int = 96, width: int = 128) -> np.ndarray:
    """(H, W, 3) float32: a gentle bump, metres."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / width
    return np.stack([0.2 * x, 0.2 * y, 0.5 + 0.02 * np.sin(6 * x)], axis=-1).astype(np.float32)


def picture(height: int = 96, width: int = 128, *, spot: bool = False) -> np.ndarray:
    rgb = np.full((height, width, 3), 100, np.uint8)
    if spot:
        rgb[40:60, 30:50] = 250
    return rgb


@pytest.fixture(scope="session")
def part() -> dict[str, bytes]:
    return {"rgb": png(picture()), "xyz": tiff(surface())}


@pytest.fixture(scope="session")
def bad_part() -> dict[str, bytes]:
    return {"rgb": png(picture(spot=True)), "xyz": tiff(surface())}


@pytest.fixture
def detector() -> BrightnessDetector:
    return BrightnessDetector()


@pytest.fixture
def loader(detector: BrightnessDetector) -> OneProduct:
    return OneProduct(detector)


@pytest.fixture
def make_detector() -> type[BrightnessDetector]:
    """`make_detector(product, version)`."""
    return BrightnessDetector


@pytest.fixture
def make_loader() -> type[OneProduct]:
    """`make_loader(*detectors)`; its dictionaries `actives` and `shadows` are what disk says."""
    return OneProduct


@pytest.fixture
def serve() -> Callable[..., Any]:
    """`with serve(settings, loader) as running:` starts a server of its own."""
    return serving


@pytest.fixture(scope="session")
def sample() -> Sample:
    return make_sample(picture(), surface())


@pytest.fixture(scope="session")
def bad_sample() -> Sample:
    """The part of `bad_part`."""
    return make_sample(picture(spot=True), surface())


@pytest.fixture(scope="session")
def form(part: dict[str, bytes]) -> bytes:
    """The part as a multipart body with the boundary `b`."""
    pieces = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in part.items()
    ]
    return b"".join(pieces) + b"--b--\r\n"
