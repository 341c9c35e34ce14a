"""The settings of a server. They are read once, at the start of the server."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.weights.folder import DEFAULT_WEIGHTS
from recipes.part_sizes import BODY_BYTES, RGB_BYTES, RGB_PIXELS, XYZ_BYTES, XYZ_PIXELS
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE
from recipes.sentences import sentences
from service.setting_lists import LISTS, copies_by_product, origins, servers, words

MIB = 1 << 20
SMALL_FIELD_BYTES = 64 * 1024
"""The most bytes of a form's text fields."""
DAY_S = 86_400.0
COLLECTOR = "http://collector:4318/v1/traces"
"""An address of an OpenTelemetry collector, as an example."""
BUILDS = "tribank_builds"
"""Resource of Ray of a node that builds; its amount is the number of builds at once there."""
PREFIX = "TRIBANK_"


class BadSetting(ValueError):
    """Settings with wrong values. The message has one line for each wrong setting."""


class Settings(BaseSettings):
    """Server settings: arguments first, then the environment (`TRIBANK_BANKS`, `TRIBANK_PORT`, ...)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    banks: Path = Field(default=DEFAULT_BANKS, description="Folder of the bank versions.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on. 0 takes a free port.")
    state: Path = Field(
        default=DEFAULT_STATE, description="Folder in which the server keeps jobs, results and keys."
    )
    database: SecretStr | None = Field(
        default=None,
        description="Database of PostgreSQL that keeps results, jobs and changes, instead of files of the "
        "state folder: postgresql://user:password@host/database. Several servers may share one. Needs the "
        "extra postgresql.",
    )
    open_access: bool = Field(
        default=False, description="Allow every request without a key, from every computer."
    )
    open_metrics: bool = Field(default=False, description="Let anyone read /metrics without a key.")
    tls_cert: Path | None = Field(
        default=None,
        description="File with the TLS certificate and its chain, PEM. With tls_key the server speaks HTTPS.",
    )
    tls_key: Path | None = Field(
        default=None, description="File with the private key of tls_cert, PEM, without a password."
    )
    origins: str = Field(
        default="",
        description="Origins of web pages that may use the API from a browser, separated by commas: "
        "https://mes.example. The pages need a key all the same.",
    )
    servers: str = Field(
        default="",
        description="Servers that the page at / shows together, by name: line-1=https://line1:8000,... The "
        "TRIBANK_ORIGINS of each must name the origin of that page.",
    )
    device: str = Field(
        default="cpu",
        description="Where the server computes: cpu or cuda. `tribank serve` also accepts auto, and uses "
        "auto if nothing is set.",
    )
    weights: Path = Field(default=DEFAULT_WEIGHTS, description="Folder of the networks' weights.")

    load: Literal["start", "first-use"] = Field(
        default="start",
        description="When a bank is loaded: at the start, or when its product's first part comes. Pinned "
        "products are always loaded at the start.",
    )
    pinned: str = Field(
        default="", description="Products that stay in memory, separated by commas: cookie,tile."
    )
    memory_budget_mb: int | None = Field(
        default=None,
        ge=1,
        description="Most host memory that banks and networks may take. The bank that was used longest ago "
        "is unloaded first.",
    )
    build_device: str = Field(
        default="cpu",
        description="Where builds over HTTP compute: cpu or cuda. On cuda a build takes GPU memory and GPU "
        "time from the parts that are scored.",
    )
    device_budget_mb: int | None = Field(
        default=None,
        ge=1,
        description="Most GPU memory that banks and networks may take. The bank that was used longest ago "
        "is unloaded first.",
    )
    cluster: str = Field(
        default="",
        description="Ray cluster whose scorers score the parts: HOST:6379, or auto. See `tribank cluster`.",
    )
    copies: str = Field(
        default="",
        description="Fewest scorers of a product: cookie:3,*:2 (* is all others). Else 2 if pinned, or 1.",
    )
    build_on: Literal["server", "nodes"] = Field(
        default="server",
        description="Where builds over HTTP run: on the server, or on nodes of the cluster that were started "
        f"with --resources='{{\"{BUILDS}\": NUMBER}}'. They must see banks, weights and parts_dir, too.",
    )
    builds_at_once: int = Field(
        default=1, ge=1, description="Number of builds that run at once. Products take turns."
    )
    build_threads: int = Field(default=1, ge=1, description="Number of threads of a build on a node.")
    keep_versions: int | None = Field(
        default=None,
        ge=1,
        description="Number of the newest versions of a product that stay after a new one was built or "
        "arrived over HTTP. Older ones are deleted, except the active version, the one before it, the shadow "
        "and pinned versions. If nothing is set, all stay.",
    )
    poll_s: float = Field(
        default=1.0, gt=0, description="Time between two looks at the bank folder for new versions."
    )
    cache: Path | None = Field(default=None, description="Local folder for copies of the versions in use.")
    cache_mb: int = Field(default=16384, ge=1, description="Most disk space of the cache.")

    takts: str = Field(
        default="",
        description="Seconds that a part of a product may take, from its decoding to its result: "
        "cookie:2.5,tile:1. Parts that take longer are counted in /metrics.",
    )
    metric_labels: str = Field(
        default="",
        description="Names of the labels by which /metrics counts parts, separated by commas: station,line. "
        "Each name may have 50 values for a product; parts with further values are counted as other.",
    )

    spans_to: str = Field(
        default="",
        description="Where an OpenTelemetry collector takes spans by OTLP over HTTP: "
        f"{COLLECTOR}. Each request is a span, and each stage of its part. Needs the extra "
        "telemetry. OTEL_EXPORTER_OTLP_HEADERS and further variables of OpenTelemetry's exporter apply.",
    )

    scorers: int | None = Field(
        default=None,
        ge=1,
        description="Number of parts that are scored at once on a CPU. They share the cores; a part alone "
        "uses all of them. If nothing is set: one for each core (OMP_NUM_THREADS), at most 4. A GPU scores "
        "one part at a time.",
    )
    max_in_flight: int = Field(
        default=4,
        ge=1,
        description="Number of parts that are decoded, scored or drawn at once. Further parts are refused "
        "with 429. A higher number absorbs larger bursts but makes the last answer later.",
    )
    max_uploads: int = Field(
        default=16,
        ge=1,
        description="Number of uploads that are received at once. One key or address gets half of them. "
        "Further uploads are refused with 429.",
    )
    max_upload_bytes: int = Field(
        default=512 * MIB,
        ge=1,
        description="Most memory of all uploaded parts together, by their announced lengths. One key or "
        "address gets half of it. Further uploads are refused with 429. One body of max_body_bytes always "
        "has room.",
    )
    decode_workers: int = Field(default=2, ge=1, description="Number of threads that decode uploads.")
    encode_workers: int = Field(
        default=2, ge=1, description="Number of threads that draw and encode answers."
    )
    deadline_s: float = Field(
        default=30.0,
        gt=0,
        description="Most time from the end of an upload to its answer. After it the answer is 504.",
    )

    stuck_s: float = Field(
        default=120.0,
        gt=0,
        description="A part, or the warm-up of a bank, that takes longer counts as hanging: the server ends "
        "with exit status 70. Never less than twice deadline_s.",
    )

    max_batches: int = Field(
        default=4,
        ge=1,
        description="Number of batches that are received or streamed at once. One key or address gets half "
        "of them. Further batches are refused with 429.",
    )
    max_builds: int = Field(
        default=4,
        ge=1,
        description="Number of builds whose parts are received at once, and of archives of versions. One key "
        "or address gets half of them. Further ones are refused with 429. max_jobs bounds the builds that "
        "wait.",
    )
    max_batch_bytes: int = Field(
        default=512 * MIB, ge=1, description="Largest body of a batch or of a build."
    )
    max_batch_entries: int = Field(
        default=4096, ge=1, description="Most files and folders in the zip of a batch."
    )
    max_batch_decoded_bytes: int = Field(
        default=2048 * MIB, ge=1, description="Most bytes of all files of a batch, decompressed."
    )
    batch_timeout_s: float = Field(
        default=600.0,
        gt=0,
        description="Most time to receive a batch, the parts of a build, or the archive of a version. After "
        "it the answer is 408.",
    )
    max_version_bytes: int = Field(
        default=8192 * MIB, ge=1, description="Largest archive of a version that is received."
    )

    results_days: float = Field(
        default=30.0,
        gt=0,
        description="Results older than this are deleted. A result that a person judged stays.",
    )
    results_mb: int = Field(
        default=1024,
        ge=1,
        description="Most disk space of the results on record. Above it the oldest results of the product "
        "with the most bytes are deleted.",
    )

    kept_parts_mb: int = Field(
        default=2048,
        ge=0,
        description="Most disk space of rejected parts. They are kept so that a good part among them can be "
        "added to the banks. Above it the oldest parts of the product with the most bytes are deleted. "
        "0 keeps none.",
    )
    parts_dir: Path | None = Field(
        default=None, description="Folder below which builds over HTTP may read folders of good parts."
    )

    jobs_mb: int = Field(
        default=1024,
        ge=1,
        description="Most disk space of jobs and their result lines. Jobs that ended are deleted first.",
    )
    max_jobs: int = Field(
        default=16,
        ge=1,
        description="Number of jobs that wait or run. One key gets half of them. Further jobs are refused "
        "with 429.",
    )
    max_watchers: int = Field(
        default=32,
        ge=1,
        description="Number of requests that watch jobs or results at once. One key or address gets half of "
        "them. Further requests are refused with 429.",
    )
    max_exports: int = Field(
        default=8,
        ge=1,
        description="Number of tables and job results that are sent at once. One key or address gets half of "
        "them. Further requests are refused with 429.",
    )
    stall_s: float = Field(
        default=30.0,
        gt=0,
        description="A connection that reads nothing of its answer for this time is closed.",
    )

    max_body_bytes: int = Field(
        default=BODY_BYTES, ge=1, description="Largest body of a request with a part."
    )
    max_rgb_bytes: int = Field(
        default=RGB_BYTES, ge=1, description="Largest image in bytes, also for commands."
    )
    max_xyz_bytes: int = Field(
        default=XYZ_BYTES, ge=1, description="Largest cloud or depth map in bytes, also for commands."
    )
    max_rgb_pixels: int = Field(
        default=RGB_PIXELS, ge=1, description="Largest image in pixels, also for commands."
    )
    max_xyz_pixels: int = Field(
        default=XYZ_PIXELS, ge=1, description="Largest cloud or depth map in pixels, also for commands."
    )
    body_timeout_s: float = Field(
        default=30.0, gt=0, description="Most time to receive a body. After it the answer is 408."
    )
    body_bytes_per_s: int = Field(
        default=16 * 1024,
        ge=0,
        description="Slowest average pace of a body. A slower body is refused with 408. 0 allows every pace.",
    )
    body_grace_s: float = Field(
        default=5.0, gt=0, description="How late a body may be, measured by its slowest pace."
    )
    head_timeout_s: float = Field(
        default=10.0, gt=0, description="Most time to receive the head of a request. After it: 408."
    )
    max_head_bytes: int = Field(
        default=32 * 1024,
        ge=1024,
        description="Largest head of a request. A larger head is refused with 414 or 431.",
    )
    max_connections: int = Field(
        default=512,
        ge=16,
        description="Number of open connections; fewer where the limit on open files is small. For one more, "
        "the connection that is idle for longest is closed. If none is idle, the new connection gets 503.",
    )
    max_connections_per_address: int = Field(
        default=256, ge=1, description="Number of open connections of one address. A proxy is one address."
    )
    keep_alive_s: int = Field(default=30, ge=1, description="How long an idle connection stays open.")
    drain_grace_s: float = Field(
        default=0.0,
        ge=0,
        description="How long after SIGTERM the server still scores parts while /readyz answers 503.",
    )

    @field_validator(*LISTS)
    @classmethod
    def _is_a_list(cls, text: str, info: ValidationInfo) -> str:
        return text if LISTS[str(info.field_name)](text) else ""

    @field_validator("cluster")
    @classmethod
    def _has_ray(cls, address: str) -> str:
        if address and find_spec("ray") is None:
            raise ValueError("A cluster needs Ray: pip install 'tribank[cluster]'")
        return address

    @field_validator("database")
    @classmethod
    def _is_postgresql(cls, uri: SecretStr | None) -> SecretStr | None:
        if uri and urlsplit(uri.get_secret_value()).scheme not in ("postgresql", "postgres"):
            raise ValueError("Write the database as postgresql://user:password@host/database")
        return uri

    @field_validator("spans_to")
    @classmethod
    def _is_a_collector(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (parts.scheme not in ("http", "https") or not parts.netloc):
            raise ValueError(f"{address} is no address of a collector. Write {COLLECTOR}")
        if address and find_spec("opentelemetry") is None:
            raise ValueError("spans need OpenTelemetry. Install it: pip install 'tribank[telemetry]'")
        return address

    @model_validator(mode="after")
    def _have_both_tls_files(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("TRIBANK_TLS_CERT and TRIBANK_TLS_KEY belong together. Set both, or none")
        return self


def read_settings(**given: Any) -> Settings:
    """The settings, from the arguments first and then from the environment.

    Raises BadSetting with a sentence for each wrong setting."""
    try:
        return Settings(**given)
    except ValidationError as error:
        names = {field: f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
        raise BadSetting("\n".join(f"{sentence}." for sentence in sentences(error, names))) from None


def copies_of(settings: Settings) -> dict[str, int]:
    """The fewest scorers of a product, where that is not one."""
    return dict.fromkeys(pinned_products(settings), 2) | copies_by_product(settings.copies)


def database_uri(settings: Settings) -> str | None:
    """The address of the database, which is secret; None where records are kept in the state folder."""
    given = "" if settings.database is None else settings.database.get_secret_value()
    return given or None


def pinned_products(settings: Settings) -> frozenset[str]:
    """The products that stay in memory, by name."""
    return frozenset(words(settings.pinned))


def servers_of(settings: Settings) -> dict[str, str]:
    """The addresses of the servers that the page shows together, by name."""
    return servers(settings.servers)


def allowed_origins(settings: Settings) -> tuple[str, ...]:
    """The origins of other pages that may use the API, sorted."""
    return origins(settings.origins)
