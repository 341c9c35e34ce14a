"""Builds with a method that cannot forget a part: some parts are set aside before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from banks.detector import Detector, PartResult
from banks.feature_store import FeatureStore
from banks.methods.column_files import ColumnFiles
from banks.methods.method import ColumnPlan, Finding, FitTask, PlanTask, Provenance
from banks.methods.registry import METHODS
from banks.versions.builder import PARTS, Builder, BuildError
from banks.versions.good_parts import GoodParts
from banks.versions.manifest import Manifest
from banks.versions.store import BadBank, BankStore
from models.features import Patches
from models.readers.product_folder import ProductFolder, open_product_folder
from models.weights.store import WeightStore
from recipes.profile import Profile
from recipes.profiles import find_profile
from tests.conftest import SMALL

CHANGES = ("banks.point.method=mean_patch",)


@dataclass(frozen=True)
class MeanPatch:
    """How far each patch is from the mean of all training patches. Nobody can take a part out of a mean."""

    mean: torch.Tensor
    stage: ClassVar[str] = "mean"
    forgets: ClassVar[bool] = False
    rows: ClassVar[int] = 0
    provenance: ClassVar[Provenance | None] = None

    @property
    def dimension(self) -> int:
        return len(self.mean)

    @classmethod
    def plan(cls, task: PlanTask) -> ColumnPlan:
        seen, width = task.seen[task.column], task.patches.rows.shape[1]
        return ColumnPlan(seen, 0, width, 4 * width, 4 * width, 0, 1.0)

    @classmethod
    def fit(cls, task: FitTask) -> MeanPatch:
        return cls(_mean(task.library, task.column, task.parts))

    def score(self, patches: Patches) -> Finding:
        values = torch.linalg.vector_norm(patches.rows - self.mean, dim=1).numpy()
        return Finding(values, patches.layout, float(values.max()))

    def without(self, part: int) -> MeanPatch:
        raise AssertionError(f"part {part} cannot be forgotten")

    def save(self, files: ColumnFiles) -> None:
        files.add_tensors("means", {"mean": self.mean})

    @classmethod
    def load(
        cls, files: ColumnFiles, column: str, profile: Profile, device: str, weights: WeightStore
    ) -> MeanPatch:
        return cls(files.tensors("means")["mean"])


def _mean(library: FeatureStore, column: str, parts: object) -> torch.Tensor:
    assert isinstance(parts, list)
    return torch.cat([library.patches(column, part).rows for part in parts]).mean(dim=0)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "mean_patch", MeanPatch)


@pytest.fixture
def folder(small_product: Path) -> ProductFolder:
    """Five training parts and no other good ones."""
    return replace(open_product_folder(small_product), validation=())


def test_parts_are_set_aside_for_a_method_that_cannot_forget(folder: ProductFolder, tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    Builder(find_profile("embedded-point", changes=CHANGES), store).build(SMALL, folder)
    path = store.path(SMALL)
    manifest = Manifest.read(path)
    assert manifest.set_aside == ("train/good/000",), "a fifth of five"
    assert manifest.training_parts == tuple(part.name for part in folder.train)
    assert manifest.calibration.count == 1
    per_part = manifest.banks["point"].seen // 4
    assert (manifest.banks["point"].rows, manifest.banks["point"].seen) == (0, 4 * per_part)
    library = GoodParts.copied(path / PARTS / "train", tmp_path / "copy").store
    mean = ColumnFiles(path, "point").tensors("means")["mean"]
    torch.testing.assert_close(mean, _mean(library, "point", [1, 2, 3, 4]))
    detector = Detector.load(path)
    (result,) = detector.score([folder.train[0].read()])
    assert isinstance(result, PartResult)
    assert result.score == pytest.approx(manifest.calibration.scores[0], rel=1e-3)
    assert result.evidence == {}
    assert np.isfinite(result.map).all()


def test_too_few_parts_beside_those_set_aside_are_refused(folder: ProductFolder, tmp_path: Path) -> None:
    two = replace(folder, train=folder.train[:2])
    builder = Builder(find_profile("embedded-point", changes=CHANGES), BankStore(tmp_path))
    with pytest.raises(BuildError, match="set aside"):
        builder.build(SMALL, two)


def test_parts_cannot_be_screened_by_a_method_that_cannot_forget(
    folder: ProductFolder, tmp_path: Path
) -> None:
    builder = Builder(find_profile("embedded-point", changes=CHANGES), BankStore(tmp_path))
    with pytest.raises(BuildError, match="leave single parts out"):
        builder.screen(folder, tmp_path)


def test_a_version_of_an_unknown_method_is_not_served(
    folder: ProductFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BankStore(tmp_path)
    Builder(find_profile("embedded-point", changes=CHANGES), store).build(SMALL, folder)
    monkeypatch.delitem(METHODS, "mean_patch")
    with pytest.raises(BadBank, match="mean_patch"):
        Detector.load(store.path(SMALL))


def test_an_unknown_method_is_refused_before_any_part_is_read(tmp_path: Path) -> None:
    profile = find_profile("embedded-point", changes=["banks.point.method=psychic"])
    nothing = ProductFolder((), (), (), ())
    with pytest.raises(BuildError, match=r"psychic.*memory_bank"):
        Builder(profile, BankStore(tmp_path)).build(SMALL, nothing)
    assert not list(tmp_path.iterdir())
