"""manifest.json: everything a version must say about itself."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from banks.decision.calibration import Calibration
from banks.decision.coverage import Coverage
from banks.versions.manifest_schemas import MIN_READER, SCHEMA_VERSION, current_form, without_unknown
from banks.versions.seal import CHECKSUM, parse, sealed
from models.atomic_file import write_atomically
from recipes.measured import Measured
from recipes.profile import Profile
from recipes.sensor import Sensor

MANIFEST = "manifest.json"
FileName = Annotated[
    str,
    StringConstraints(
        pattern=r"^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]*$", max_length=80
    ),
]
"""A file's place in a version's folder. It leads nowhere else."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Hex sha256."""
_LIBRARIES = (
    "tribank",
    "torch",
    "timm",
    "faiss-cpu",
    "faiss-gpu",
    "openvino",
    "llvmlite",
    "open3d-cpu",
    "numpy",
    "scikit-learn",
)


class BankFacts(BaseModel):
    """One column.

    side: patches along an edge of the image; None for point groups.
    dimension: channels of a patch.
    seen: training patches.
    rows: patches that the column keeps; 0 for a method without rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: int | None
    dimension: int
    seen: int
    rows: int


class ProbeFacts(BaseModel):
    """The part that every load scores (`banks.versions.probe`).

    part: its name.
    held_out: whether the part is in no bank.
    banks, score: the scores of the part when the version was built.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    held_out: bool
    banks: dict[str, float]
    score: float


class Manifest(BaseModel):
    """The facts of one bank version.

    min_reader: the oldest schema whose readers understand the manifest, if they ignore fields that they do
        not know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    min_reader: int = MIN_READER
    product: str
    created: datetime
    profile: Profile
    """With a number for every length."""
    measured: Measured | None = None
    """None in versions of older sources, and where no part has a cloud."""
    coverage: Coverage | None = None
    """What the good parts show of the product; None for a profile that does not look at it."""
    seed: int
    device: str
    training_parts: tuple[str, ...]
    set_aside: tuple[str, ...] = ()
    """Those training parts that nothing was fitted on, because a method of the profile cannot forget a part.
    They are evidence for the threshold. Versions before this field have none."""
    skipped_parts: dict[str, str] = Field(default_factory=dict)
    """Good parts that could not be used, with the reason."""
    without_plane: tuple[str, ...] = ()
    """Good parts whose support plane was not found, so that their background was learned with them."""
    called_good: tuple[str, ...] = ()
    """Good parts that a person called good where they were odd, in a version that this one extends."""
    remarks: tuple[str, ...] = ()
    """What a person should know about the good parts, in sentences."""
    banks: dict[str, BankFacts]
    decision: dict[str, Any]
    calibration: Calibration
    sensor: Sensor = Sensor()
    """What is declared about the recordings. A scored part that declares nothing itself is read so."""
    weights: dict[str, str]
    """sha256 of every network's weights, by name."""
    files: dict[FileName, Digest]
    """sha256 of every file that scoring needs, by its name."""
    kept: dict[FileName, Digest] = Field(default_factory=dict)
    """sha256 of every file of kept features, by name; empty where the version does not keep its parts."""
    libraries: dict[str, str]
    numerics: dict[str, int | bool | str] = Field(default_factory=dict)
    """`models.numerics.process.Numerics` of the build, by its names; empty in versions of older sources."""
    probe: ProbeFacts | None = None
    """None in versions that older sources built."""

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read and validate the manifest of a version directory. Raises OSError, and as `parsed`."""
        return cls.parsed((folder / MANIFEST).read_bytes())

    @classmethod
    def parsed(cls, content: bytes) -> Manifest:
        """Validate the bytes of a manifest, of this schema or an older one.

        Raises ValueError where it is damaged or needs a newer reader.
        """
        found = parse(content)
        document = current_form(found)
        try:
            return cls.model_validate_json(json.dumps(document))
        except ValidationError as error:
            if CHECKSUM not in found:
                raise  # an unknown field may be a known one with a flipped bit
            return cls.model_validate_json(json.dumps(without_unknown(document, error)))

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a version directory that is not yet published."""
        write_atomically(folder / MANIFEST, sealed(json.loads(self.model_dump_json())))


def library_versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def now() -> datetime:
    """The present, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
