"""Detectors as the service sees them: one product's, where they come from, and what of them is served."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from banks.decision.calibration import Calibration
from banks.detector import PartResult
from banks.versions.manifest import Manifest
from models.sample import BadSample, Sample


class PartDetector(Protocol):
    """What the service needs of `banks.detector.Detector`."""

    calibration: Calibration

    @property
    def product(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def manifest(self) -> Manifest: ...
    def score(self, samples: Sequence[Sample]) -> list[PartResult | BadSample]: ...
    def warm_up(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A product's detector. note: what an operator should know, such as a version that was passed over."""

    detector: PartDetector
    note: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """What a version takes in memory beside its networks, in bytes. networks: bytes of each network that it
    needs, which all versions and products share. device: whether a GPU holds the networks and
    `rows_on_device` bytes as well."""

    banks: int = 0
    networks: Mapping[Hashable, int] = field(default_factory=dict)
    rows_on_device: int = 0
    device: bool = False


def total_of(sizes: Iterable[Size]) -> tuple[int, int]:
    """Bytes on the host and on the device of versions together: each network counts once."""
    sizes = list(sizes)
    networks = {name: size for each in sizes for name, size in each.networks.items()}
    on_device = {name: size for each in sizes if each.device for name, size in each.networks.items()}
    return (
        sum(each.banks for each in sizes) + sum(networks.values()),
        sum(each.rows_on_device for each in sizes) + sum(on_device.values()),
    )


class Loader(Protocol):
    """Where detectors come from, and which is wanted; called on the threads that load.

    active, shadow: the version's name on disk now; they raise Refusal where the disk does not tell. size:
    what a version takes in memory. stamp: changes whenever the files of a version do, or without one
    those of any, also where they cannot be read. load: a version, or the active one or what stands in for it;
    raises Refusal where it cannot be served. calibration: the detector's, with the threshold that a person
    may have set by now; raises Refusal where the moved thresholds are damaged.
    """

    def products(self) -> list[str]: ...
    def active(self, product: str) -> str | None: ...
    def shadow(self, product: str) -> str | None: ...
    def size(self, product: str, version: str) -> Size: ...
    def stamp(self, product: str, version: str | None) -> Hashable: ...
    def load(self, product: str, version: str | None = None) -> Loaded: ...
    def calibration(self, detector: PartDetector) -> Calibration: ...


@dataclass(frozen=True, slots=True)
class Served:
    """One product as it is now. wanted, wanted_shadow: the versions that disk names, served or not.

    note, shadow_note, threshold_note: what an operator should know, in sentences.
    """

    product: str
    state: Literal["idle", "loading", "serving", "failed"]
    detector: PartDetector | None = None
    shadow: PartDetector | None = None
    note: str = ""
    shadow_note: str = ""
    threshold_note: str = ""
    wanted: str | None = None
    wanted_shadow: str | None = None

    @property
    def degraded(self) -> bool:
        """Whether another version is in use than the active one."""
        return self.detector is not None and self.detector.version != self.wanted


@dataclass(frozen=True, slots=True)
class Residency:
    """What may be in memory. budget_bytes, device_bytes: of all detectors together, on the host and on the
    GPU; None is no bound. lazy: load at first use.

    pinned: products that are loaded at the start and never unloaded. poll_s: how often disk is looked at.
    """

    budget_bytes: int | None = None
    device_bytes: int | None = None
    lazy: bool = False
    pinned: frozenset[str] = frozenset()
    poll_s: float = 1.0
