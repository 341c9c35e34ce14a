"""What the service needs of detectors: the detector, the loader of detectors, and the products' state."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from banks.decision.calibration import Calibration
from banks.decision.coverage import Coverage
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
    @property
    def coverage(self) -> Coverage | None: ...
    def score(self, samples: Sequence[Sample]) -> list[PartResult | BadSample]: ...
    def warm_up(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A product's detector. note: what an operator should know, such as a version that was skipped."""

    detector: PartDetector
    note: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """What a version takes in memory.

    banks: bytes on the host, without the networks.
    networks: bytes of each network that the version needs; all versions and products share the networks.
    rows_on_device: bytes of the banks on the GPU.
    device: whether a GPU holds the networks and the rows as well.
    """

    banks: int = 0
    networks: Mapping[Hashable, int] = field(default_factory=dict)
    rows_on_device: int = 0
    device: bool = False


def total_of(sizes: Iterable[Size]) -> tuple[int, int]:
    """Bytes of several versions together, on the host and on the GPU. Each network counts once."""
    sizes = list(sizes)
    networks = {name: size for each in sizes for name, size in each.networks.items()}
    on_device = {name: size for each in sizes if each.device for name, size in each.networks.items()}
    return (
        sum(each.banks for each in sizes) + sum(networks.values()),
        sum(each.rows_on_device for each in sizes) + sum(on_device.values()),
    )


class Loader(Protocol):
    """Where detectors come from, and which version the disk names. Called on the loading threads.

    active: the active version's name on disk now. Raises Refusal where the disk cannot be read.
    shadow: the shadow version's name on disk now. Raises as `active`.
    size: what a version takes in memory.
    stamp: a value that changes whenever the version's files change; without a version, the files of any
        version. Files that cannot be read count too.
    load: the version's detector; without a version, the active version's or that of its stand-in. Raises
        Refusal where no such version can be served, LoadFailed where the files are not at fault.
    calibration: the detector's calibration, with the threshold that a person may have set since. Raises
        Refusal where the file of the moved thresholds is damaged.
    superseded: whether another server may have activated a version since the disk named this one. Called on
        a scoring thread, after a part.
    """

    def products(self) -> list[str]: ...
    def active(self, product: str) -> str | None: ...
    def shadow(self, product: str) -> str | None: ...
    def size(self, product: str, version: str) -> Size: ...
    def stamp(self, product: str, version: str | None) -> Hashable: ...
    def load(self, product: str, version: str | None = None) -> Loaded: ...
    def calibration(self, detector: PartDetector) -> Calibration: ...
    def superseded(self, product: str, version: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Served:
    """One product's state.

    detector, shadow: the detectors that score, if any.
    note, shadow_note, threshold_note: what an operator should know, in sentences.
    wanted, wanted_shadow: the versions that the disk names, served or not.
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
    def sensor_note(self) -> str:
        """Why the shadow scores no parts, if the reason is its sensor. No part is decoded twice."""
        if self.detector is None or self.shadow is None:
            return ""
        if self.detector.manifest.sensor == self.shadow.manifest.sensor:
            return ""
        return (
            f"Shadow version {self.shadow.version} declares another sensor than the active version, so it "
            "scores no parts."
        )

    @property
    def degraded(self) -> bool:
        """Whether another version than the active version is in use."""
        return self.detector is not None and self.detector.version != self.wanted


@dataclass(frozen=True, slots=True)
class Residency:
    """Which detectors may be in memory.

    budget_bytes, device_bytes: the most bytes of all detectors, on the host and on the GPU; None: no limit.
    lazy: whether a product's bank is loaded at its first use.
    pinned: products that are loaded at the start and never unloaded.
    poll_s: seconds between two checks of the disk.
    """

    budget_bytes: int | None = None
    device_bytes: int | None = None
    lazy: bool = False
    pinned: frozenset[str] = frozenset()
    poll_s: float = 1.0
