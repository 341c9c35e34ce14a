"""A method that trains, through the real commands and a real server: killed, gone on with, scored."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from banks.versions.builder import Builder
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.readers.product_folder import open_product_folder
from models.training import CHECKPOINT
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.profiles import find_profile
from service.engine.store_loader import StoreLoader
from service.settings import Settings
from tests.conftest import SMALL
from tests.faults.kills import left_behind
from tests.faults.warm import Warm
from tests.waiting import until

PROFILE = "autoencoder-rgb"
CHANGES = (
    "preparation.size=32",
    "preparation.rgb_size=32",
    "preparation.min_points=16",
    "false_reject_rate=0.4",
    "preparation.background=none",  # so short a training learns no edges, and the edges would decide
    "banks.picture.epochs=60",
    "banks.picture.batch=4",
    "banks.picture.augmented=false",
    "banks.picture.checkpoint_every=2",
)
STEPS = 60


@pytest.fixture(scope="module")
def gone_on(
    small_product: Path, tmp_path_factory: pytest.TempPathFactory, warm: Warm
) -> tuple[BankStore, list[int], int]:
    """Banks of a build that was killed and started again; the steps that the second took, and the steps of
    the checkpoint that the first left."""
    folder = tmp_path_factory.mktemp("trained")
    store = BankStore(folder / "banks")
    arguments = ["build", SMALL, str(small_product), "--banks", str(store.root), "--device", "cpu"]
    arguments += ["--profile", PROFILE, *(word for change in CHANGES for word in ("--set", change))]
    killed = warm.start(arguments, folder / "said")
    until(lambda: list(store.root.glob(f"{SMALL}/.training-*/picture/{CHECKPOINT}")), "a checkpoint")
    killed.kill()
    assert killed.wait() < 0, "killed before its end"
    assert store.versions(SMALL) == []
    (checkpoint,) = store.root.glob(f"{SMALL}/.training-*/picture/{CHECKPOINT}")
    with safe_open(checkpoint, "pt") as file:
        kept = int(file.metadata()["done"])
    steps: list[int] = []

    def told(stage: str, done: int, total: int, note: str = "", /) -> None:
        if stage == "picture training":
            assert total == STEPS
            steps.append(done)

    builder = Builder(find_profile(PROFILE, changes=CHANGES), store, progress=told)
    builder.build(SMALL, open_product_folder(small_product))
    return store, steps, kept


def test_the_same_build_goes_on_with_the_training(gone_on: tuple[BankStore, list[int], int]) -> None:
    store, steps, kept = gone_on
    assert 0 < kept < STEPS
    assert steps == list(range(kept + 1, STEPS + 1))
    assert (store.versions(SMALL), store.verify(SMALL, "v1"), left_behind(store)) == (["v1"], [], [])
    manifest = Manifest.read(store.path(SMALL))
    assert manifest.set_aside == ("train/good/000",)
    assert manifest.calibration.count == 3, "two validation parts beside it"
    assert manifest.banks["picture"].seen == 4 * 32 * 32


@pytest.fixture(scope="module")
def stfpm(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> BankStore:
    """Banks with a student that trained for seconds."""
    store = BankStore(tmp_path_factory.mktemp("stfpm"))
    changes = [*CHANGES[:4], "banks.picture.batch=4", "banks.picture.epochs=60"]
    Builder(find_profile("stfpm", changes=changes), store).build(SMALL, open_product_folder(small_product))
    return store


def test_a_student_answers_with_heatmap_and_regions(
    stfpm: BankStore, small_product: Path, serve: Callable[..., Any], strict_settings: Settings
) -> None:
    _answers(stfpm, small_product, serve, strict_settings)


@pytest.fixture(scope="module")
def ast(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> BankStore:
    """Banks with a flow and a student that trained for seconds."""
    store = BankStore(tmp_path_factory.mktemp("ast"))
    changes = ["preparation.size=48", "preparation.rgb_size=96", "preparation.min_points=16", CHANGES[3]]
    changes += ["banks.picture.batch=4", "banks.picture.epochs=12", "banks.picture.width=16"]
    changes += ["banks.picture.rate=0.002"]
    Builder(find_profile("ast", changes=changes), store).build(SMALL, open_product_folder(small_product))
    return store


def test_a_flow_and_its_student_answer_with_heatmap_and_regions(
    ast: BankStore, small_product: Path, serve: Callable[..., Any], strict_settings: Settings
) -> None:
    manifest = Manifest.read(ast.path(SMALL))
    assert (manifest.set_aside, manifest.banks["picture"].seen) == (("train/good/000",), 4 * 24 * 24)
    _answers(ast, small_product, serve, strict_settings)


def test_an_autoencoder_answers_with_heatmap_and_regions(
    gone_on: tuple[BankStore, list[int], int],
    small_product: Path,
    serve: Callable[..., Any],
    strict_settings: Settings,
) -> None:
    _answers(gone_on[0], small_product, serve, strict_settings)


def _answers(
    store: BankStore, small_product: Path, serve: Callable[..., Any], strict_settings: Settings
) -> None:
    """A part that is painted is defective where it is painted, and scores higher than as it was."""
    plain, part = _painted(small_product / "test/stain")
    settings = strict_settings.model_copy(update={"banks": store.root, "deadline_s": 100.0})
    loader = StoreLoader(store, device="cpu", weights=DEFAULT_WEIGHTS)
    with serve(settings, loader) as running, running.client() as client:
        url = f"/v1/products/{SMALL}/score"
        found, fine = (client.post(url, files=files).json() for files in (part, plain))
        picture = client.post(url, files=part, headers={"Accept": "image/png"}).content
    assert (set(found["banks"]), found["decision"]) == ({"picture"}, "defective")
    assert fine["score"] < found["score"]  # how much lower depends on the processor that trained the network
    (region, *_) = found["regions"]
    middle = [side / 2 for side in _size(part)]
    assert [region["peak_pixel"][axis] for axis in "xy"] == pytest.approx(middle, abs=60)
    with Image.open(io.BytesIO(part["rgb"])) as before, Image.open(io.BytesIO(picture)) as after:
        assert after.size == before.size
        assert np.asarray(after.convert("RGB")).std() > 0


def _painted(folder: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of a part, and those of the part with a blue square in its middle."""
    plain = {kind: sorted((folder / kind).iterdir())[0].read_bytes() for kind in ("rgb", "xyz")}
    with Image.open(io.BytesIO(plain["rgb"])) as image:
        pixels = np.array(image.convert("RGB"))
    row, column = (side // 2 for side in pixels.shape[:2])
    pixels[row - 40 : row + 40, column - 40 : column + 40] = (0, 0, 255)
    painted = io.BytesIO()
    Image.fromarray(pixels).save(painted, "PNG")
    return plain, {**plain, "rgb": painted.getvalue()}


def _size(part: dict[str, bytes]) -> tuple[int, int]:
    """Width and height."""
    with Image.open(io.BytesIO(part["rgb"])) as image:
        return image.size
