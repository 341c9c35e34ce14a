"""A plan: its rows and bytes are those of the build that follows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from banks.decision.regions import find_regions
from banks.detector import Detector, PartResult
from banks.pipeline import make_pipeline
from banks.versions.builder import Builder
from banks.versions.manifest import Manifest
from banks.versions.plan import plan
from banks.versions.store import BankStore
from models.readers.product_folder import open_product_folder
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.profiles import DEFAULT_PROFILE, find_profile
from tests.conftest import SMALL


@pytest.fixture
def timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that is not asked for its times measures them once."""
    monkeypatch.setattr("banks.versions.plan._REPEATS", 1)


def test_rows_and_bytes_are_those_of_the_build(small_product: Path, small_banks: Path) -> None:
    folder = small_banks / SMALL / "v1"
    manifest = Manifest.read(folder)
    part = open_product_folder(small_product).train[0].read()
    planned = plan(
        find_profile(DEFAULT_PROFILE), len(manifest.training_parts), part, weights_dir=DEFAULT_WEIGHTS
    )
    built = {name: (facts.seen, facts.rows, facts.dimension) for name, facts in manifest.banks.items()}
    assert {name: (b.seen, b.rows, b.dimension) for name, b in planned.banks.items()} == built
    size = sum((folder / name).stat().st_size for name in manifest.files)
    # The probe is another part than the planned one.
    assert planned.disk_bytes == pytest.approx(size, abs=100_000)
    features = sum(file.stat().st_size for file in (folder / "parts" / "train").glob("*.f32"))
    assert planned.kept_bytes == features
    assert planned.memory_bytes == sum(rows * width * 4 for _, rows, width in built.values())
    assert planned.part_ms > sum(planned.stages_ms.values()) > 0
    assert {"prepare", "rgb", "point", "fusion"} <= set(planned.stages_ms)


@pytest.mark.usefixtures("timed_once")
def test_scale_2_makes_every_grid_twice_as_fine(small_product: Path, tmp_path: Path) -> None:
    folder, store = open_product_folder(small_product), BankStore(tmp_path)
    folder = replace(folder, train=folder.train[:2], validation=())
    profile = find_profile(DEFAULT_PROFILE, changes=["scale=2", "coreset=0.005"])
    held = make_pipeline(profile, DEFAULT_WEIGHTS, "cpu")  # its network is compiled once for all that follows
    Builder(profile, store).build(SMALL, folder)
    manifest = Manifest.read(store.path(SMALL))
    assert {name: facts.side for name, facts in manifest.banks.items()} == {
        "rgb": 56,
        "relief": 112,
        "colour": 56,
        "fused": 56,
    }
    planned = plan(profile, 2, folder.train[0].read(), weights_dir=DEFAULT_WEIGHTS)
    assert planned.size == 448
    assert {name: (b.seen, b.rows, b.dimension) for name, b in planned.banks.items()} == {
        name: (facts.seen, facts.rows, facts.dimension) for name, facts in manifest.banks.items()
    }
    part = next(part for part in folder.test if "good" not in part.name)
    (result,) = Detector.load(store.path(SMALL), check_probe=False).score([part.read()])
    assert isinstance(result, PartResult)
    assert result.map.shape == (448, 448)
    assert {places.shape for places in result.scores.places.values()} == {(112, 112)}
    frame = result.prepared.frame
    assert frame.size == 448
    assert frame.to_source(result.map).shape == (frame.height, frame.width)
    prepared = result.prepared
    highest, *_ = find_regions(result.map, 0.9 * result.map.max(), frame, prepared.xyz, prepared.valid)
    row, column = np.unravel_index(result.map.argmax(), result.map.shape)
    assert np.abs(np.subtract(frame.source_pixel(int(row), int(column))[::-1], highest.peak_pixel)).max() <= 1
    del held


@pytest.mark.usefixtures("timed_once")
def test_twice_the_parts_cost_twice_the_rows(small_product: Path) -> None:
    part = open_product_folder(small_product).train[0].read()
    recipe = find_profile("embedded-three", changes=["precision=float16", "zero_row=true"])
    one, two = (plan(recipe, parts, part, weights_dir=DEFAULT_WEIGHTS) for parts in (10, 20))
    assert two.banks["rgb"].rows == pytest.approx(2 * one.banks["rgb"].rows, abs=1)
    assert two.banks["point"].rows == pytest.approx(2 * one.banks["point"].rows, abs=2)
    assert one.disk_bytes < one.memory_bytes
    assert two.build_peak_bytes > one.build_peak_bytes


def test_cascaded_banks_keep_a_share_of_the_reduced_point_bank() -> None:
    recipe = find_profile(DEFAULT_PROFILE, changes=["coreset_sizes=cascaded"])
    assert recipe.kept({"rgb": 784, "point": 3136, "fused": 3136}) == {"rgb": 31, "point": 313, "fused": 31}
