"""Everything about a server that a person may set. Read once, at the start, and passed down."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.weights.folder import DEFAULT_WEIGHTS
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE
from recipes.sentences import sentences

MIB = 1 << 20
DAY_S = 86_400.0
PREFIX = "TRIBANK_"
OF_OTHERS = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("HARDWARE", "FOR", "PYTHON"),
        *("PUBLISH", "WEIGHTS_DIR", "MEM_LIMIT"),
        *("KEY", "TEST_DEVICE", "SCREENSHOT"),
    )
)
"""Environment names of ours that are no setting: set-up's, Compose's, a client's and the tests'."""


class BadSetting(ValueError):
    """Settings that cannot be; the message has a line for each."""


class Settings(BaseSettings):
    """Server settings: arguments first, then the environment (`TRIBANK_BANKS`, `TRIBANK_PORT`, ...)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    banks: Path = Field(default=DEFAULT_BANKS, description="Root directory of the bank versions.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    state: Path = Field(
        default=DEFAULT_STATE, description="Directory of what the service keeps: jobs, results, keys."
    )
    open_access: bool = Field(
        default=False, description="Ask nobody for a key, whoever can reach the server."
    )
    open_metrics: bool = Field(default=False, description="Let anyone read /metrics without a key.")
    device: str = Field(default="cpu", description="Where to compute: cpu or cuda.")
    weights: Path = Field(default=DEFAULT_WEIGHTS, description="Directory of the networks' weights.")

    load: Literal["start", "first-use"] = Field(
        default="start", description="When banks come into memory. Pinned products: always at the start."
    )
    pinned: str = Field(default="", description="Products that stay in memory, separated by commas.")
    memory_budget_mb: int | None = Field(
        default=None,
        ge=1,
        description="Most that banks and networks may take on the host; what was used longest ago goes "
        "first.",
    )
    build_device: str = Field(
        default="cpu",
        description="Where builds over HTTP compute: cpu or cuda. On cuda a build takes memory and time "
        "of the GPU from the parts that are scored.",
    )
    device_budget_mb: int | None = Field(
        default=None,
        ge=1,
        description="Most that banks and networks may take on the GPU, likewise. By default no bound.",
    )
    poll_s: float = Field(
        default=1.0, gt=0, description="How often the bank directory is looked at for new versions."
    )

    max_in_flight: int = Field(
        default=2,
        ge=1,
        description="Parts being decoded, scored or drawn; above it 429. Each more lets bursts of one more "
        "part in, and the slowest answer wait for one more.",
    )
    max_uploads: int = Field(
        default=16,
        ge=1,
        description="Bodies being received at once, and half as many of one key or address; above it 429.",
    )
    max_upload_bytes: int = Field(
        default=256 * MIB,
        ge=1,
        description="Bodies of parts in memory at once, by their announced lengths, and half as much of one "
        "key or address; above it 429. One body of max_body_bytes always has room.",
    )
    decode_workers: int = Field(default=2, ge=1, description="Threads that decode uploads.")
    encode_workers: int = Field(default=2, ge=1, description="Threads that draw and encode answers.")
    deadline_s: float = Field(
        default=30.0, gt=0, description="From the end of the upload to the answer; then 504."
    )

    stuck_s: float = Field(
        default=120.0,
        gt=0,
        description="A part or a bank's warm-up that takes longer hangs: the server ends with exit status "
        "70. Twice deadline_s at least.",
    )

    max_batches: int = Field(
        default=4,
        ge=1,
        description="Batches received or streamed at once, half as many of one key or address; else 429.",
    )
    max_builds: int = Field(
        default=4,
        ge=1,
        description="Builds whose parts are received at once, half as many of one key or address; else 429. "
        "Jobs: max_jobs.",
    )
    max_batch_bytes: int = Field(
        default=512 * MIB, ge=1, description="Largest body of a batch, or of a build."
    )
    max_batch_entries: int = Field(default=4096, ge=1, description="Most files and folders in a batch's zip.")
    max_batch_decoded_bytes: int = Field(
        default=2048 * MIB, ge=1, description="Most bytes of a batch's files together, decompressed."
    )
    batch_timeout_s: float = Field(default=600.0, gt=0, description="Time to receive a batch; then 408.")

    results_days: float = Field(default=30.0, gt=0, description="Results older than that are forgotten.")
    results_mb: int = Field(
        default=1024, ge=1, description="Most that results on record take; the oldest are forgotten."
    )

    kept_parts_mb: int = Field(
        default=2048,
        ge=0,
        description="Most that rejected parts take, kept so that good ones among them can be added to the "
        "banks; the oldest are forgotten. 0 keeps none.",
    )
    parts_dir: Path | None = Field(
        default=None, description="Directory below which builds may take folders of good parts."
    )

    jobs_mb: int = Field(
        default=1024,
        ge=1,
        description="Most that jobs and their result lines take; ended ones are forgotten.",
    )
    max_jobs: int = Field(
        default=16, ge=1, description="Jobs that wait or run, half as many of one key; above it 429."
    )
    max_watchers: int = Field(
        default=32,
        ge=1,
        description="Requests watching jobs at once, half as many of one key or address; above it 429.",
    )
    max_exports: int = Field(
        default=8,
        ge=1,
        description="Tables and job results being sent at once, half as many of one key or address; above it "
        "429.",
    )
    stall_s: float = Field(
        default=30.0, gt=0, description="A client that takes nothing of its answer for as long is cut."
    )

    max_body_bytes: int = Field(default=64 * MIB, ge=1, description="Largest request body.")
    max_rgb_bytes: int = Field(default=16 * MIB, ge=1, description="Largest `rgb` part.")
    max_xyz_bytes: int = Field(default=48 * MIB, ge=1, description="Largest `xyz` or `depth` part.")
    body_timeout_s: float = Field(default=30.0, gt=0, description="Time to receive a body; then 408.")
    body_bytes_per_s: int = Field(
        default=16 * 1024,
        ge=0,
        description="Slowest pace of a body, on average; below it 408. 0 lets bodies come as they like.",
    )
    body_grace_s: float = Field(
        default=5.0, gt=0, description="How much longer a body may be waited for than its pace says."
    )
    head_timeout_s: float = Field(
        default=10.0, gt=0, description="Time to receive a request's head; then 408."
    )
    max_head_bytes: int = Field(
        default=32 * 1024, ge=1024, description="Largest request head; then 414 or 431."
    )
    max_connections: int = Field(
        default=512,
        ge=16,
        description="Open connections, fewer where the limit on open files is small. Above it the one that "
        "is idle for longest makes way; where none is, 503.",
    )
    max_connections_per_address: int = Field(
        default=256, ge=1, description="Open connections of one address, such as a proxy's."
    )
    keep_alive_s: int = Field(default=30, ge=1, description="How long an idle connection stays open.")
    drain_grace_s: float = Field(
        default=0.0,
        ge=0,
        description="How long after SIGTERM /readyz says 503 while parts are still taken.",
    )


def read_settings(**given: Any) -> Settings:
    """The settings: those given, then the environment's. Raises BadSetting with a sentence for each wrong
    one."""
    try:
        return Settings(**given)
    except ValidationError as error:
        names = {field: f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
        raise BadSetting("\n".join(f"{said}." for said in sentences(error, names))) from None


def pinned_products(settings: Settings) -> frozenset[str]:
    """The products that stay in memory, by name."""
    return frozenset(settings.pinned.replace(",", " ").split())


def unknown_names(environment: Iterable[str]) -> dict[str, str | None]:
    """Names that begin as a setting's and are none, such as mistyped ones; each with the setting like it."""
    fields = [field.upper() for field in Settings.model_fields]
    known = {f"{PREFIX}{field}" for field in fields} | OF_OTHERS
    unknown = sorted(n for n in environment if n.upper().startswith(PREFIX) and n.upper() not in known)
    alike = {name: get_close_matches(name.upper().removeprefix(PREFIX), fields, 1) for name in unknown}
    return {name: f"{PREFIX}{found[0]}" if found else None for name, found in alike.items()}
