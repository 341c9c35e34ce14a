"""What every case starts from: a few parts, and banks of them in two versions that answer differently."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from banks.detector import Detector, PartResult
from banks.versions.builder import Builder
from banks.versions.store import BankStore
from evaluation.demo_parts.writer import write_demo_parts
from models.readers import read_files
from models.readers.product_folder import open_product_folder
from models.sample import Sample
from recipes.profiles import find_profile

PRODUCT = "biscuit"
VERSIONS = ("v1", "v3")
"""One bit apart, so that a flip in a pointer may name the other one. The first is active."""
PROFILE = "embedded-point"
COARSE = "coreset=0.02"


@dataclass(frozen=True, slots=True)
class Scene:
    """parts: a product folder. banks: a bank root. rgb, xyz: the files of one defective part. scores: of that
    part, by version."""

    parts: Path
    banks: Path
    rgb: bytes
    xyz: bytes
    sample: Sample
    scores: dict[str, float]

    @property
    def form(self) -> dict[str, bytes]:
        """The part as the fields of a form."""
        return {"rgb": self.rgb, "xyz": self.xyz}


def make_scene(folder: Path, profile: str = PROFILE, parts: Path | None = None) -> Scene:
    """Build both versions below an empty folder. parts: default: rendered there first."""
    if parts is None:
        (parts,) = write_demo_parts(folder / "parts", products=[PRODUCT], train=3, validation=2, test=1)
    store = BankStore(folder / "banks")
    for version, changes in zip(VERSIONS, (COARSE, "coreset=0.1"), strict=True):
        builder = Builder(find_profile(profile, changes=[changes]), store)
        assert builder.build(PRODUCT, open_product_folder(parts)) == version
        if version == VERSIONS[0]:
            shutil.copytree(store.path(PRODUCT), store.path(PRODUCT).with_name("v2"))  # so the next one is v3
    store.activate(PRODUCT, VERSIONS[0])
    store.delete(PRODUCT, "v2")
    defect = next(path for path in sorted((parts / "test").iterdir()) if path.name != "good")
    rgb, xyz = (next((defect / kind).iterdir()) for kind in ("rgb", "xyz"))
    sample = read_files({"rgb": rgb, "xyz": xyz})
    scores = {version: scored(store.path(PRODUCT, version), sample).score for version in VERSIONS}
    assert len(set(scores.values())) == len(VERSIONS), "versions that cannot be told apart prove nothing"
    return Scene(parts, store.root, rgb.read_bytes(), xyz.read_bytes(), sample, scores)


def scored(version: Path, sample: Sample) -> PartResult:
    """The part by the version in this directory. Raises BadBank where it cannot be served."""
    (result,) = Detector.load(version).score([sample])
    assert isinstance(result, PartResult)
    return result
