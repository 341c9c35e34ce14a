"""Every method but the memory bank through the real commands and a real server: built, killed, scored."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.readers import read_files
from models.weights.folder import DEFAULT_WEIGHTS
from service.engine.store_loader import StoreLoader
from service.settings import Settings
from tests.conftest import SMALL, Tribank
from tests.faults.kills import left_behind
from tests.faults.warm import Warm
from tests.service.conftest import png, tiff
from tests.waiting import until

METHODS: dict[str, tuple[str, ...]] = {
    "padim": ("--profile", "padim", "--set", "banks.rgb.channels=20"),
    "a memory bank and padim": (
        *("--profile", "embedded-two", "--set", 'banks.point={"method": "padim", "channels": 20}'),
        *("--set", "decision=tail"),
    ),
}
"""How each is built."""


@pytest.fixture(scope="module")
def alike(few_parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One part, recorded six times by noisy sensors: PaDiM compares places, so parts must lie alike."""
    folder, draw = tmp_path_factory.mktemp("alike"), np.random.default_rng(0)
    first = few_parts / "train/good"
    sample = read_files({"rgb": first / "rgb/000.png", "xyz": first / "xyz/000.tiff"})
    for number in range(6):
        rgb = sample.rgb + draw.normal(0, 4, sample.rgb.shape)
        xyz = sample.xyz + draw.normal(0, 2e-5, sample.xyz.shape) * sample.valid[..., None]
        place = folder / ("validation" if number == 5 else "train") / "good"
        for kind, content in (
            ("rgb.png", png(rgb.clip(0, 255).astype(np.uint8))),
            ("xyz.tiff", tiff(xyz.astype(np.float32))),
        ):
            file = place / kind.partition(".")[0] / f"{number:03}{Path(kind).suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return folder


@pytest.mark.parametrize("options", METHODS.values(), ids=METHODS)
def test_a_part_is_scored_through_http_with_heatmap_and_regions(
    options: tuple[str, ...],
    alike: Path,
    tmp_path: Path,
    tribank: Tribank,
    serve: Callable[..., Any],
    strict_settings: Settings,
) -> None:
    store = BankStore(tmp_path / "banks")
    tribank("build", SMALL, alike, "--banks", store.root, "--device", "cpu", *options)
    manifest = Manifest.read(store.path(SMALL))
    assert any(recipe.method != "memory_bank" for recipe in manifest.profile.banks.values())
    assert (manifest.set_aside, manifest.calibration.count) == ((), 6), "five are left out, one held out"
    good = {kind: next((alike / "validation/good" / kind).iterdir()).read_bytes() for kind in ("rgb", "xyz")}
    painted = {**good, "rgb": _painted(good["rgb"])}
    settings = strict_settings.model_copy(update={"banks": store.root, "deadline_s": 100.0})
    loader = StoreLoader(store, device="cpu", weights=DEFAULT_WEIGHTS)
    kept = (store.path(SMALL) / "padim.safetensors").stat().st_size
    assert loader.size(SMALL, "v1").rows_on_device >= kept, "a GPU would hold the Gaussians"
    with serve(settings, loader) as running, running.client() as client:
        url = f"/v1/products/{SMALL}/score"
        bad, fine = (client.post(url, files=files).json() for files in (painted, good))
        picture = client.post(url, files=painted, headers={"Accept": "image/png"}).content
    assert bad["score"] > fine["score"]
    assert (bad["decision"], set(bad["banks"])) == ("defective", set(manifest.banks))
    assert bad["regions"]
    with Image.open(io.BytesIO(good["rgb"])) as before, Image.open(io.BytesIO(picture)) as after:
        assert after.size == before.size
        assert np.asarray(after.convert("RGB")).std() > 0


def _painted(image: bytes) -> bytes:
    """The picture of a part with a red and a blue half in its middle."""
    with Image.open(io.BytesIO(image)) as opened:
        rgb = np.array(opened.convert("RGB"))
    height, width = rgb.shape[0] // 8, rgb.shape[1] // 8
    rgb[3 * height : 5 * height, 3 * width : 4 * width] = 255, 0, 0
    rgb[3 * height : 5 * height, 4 * width : 5 * width] = 0, 0, 255
    return png(rgb)


def test_a_build_that_is_killed_leaves_nothing_half(alike: Path, tmp_path: Path, warm: Warm) -> None:
    store = BankStore(tmp_path / "banks")
    arguments = ["build", SMALL, str(alike), "--banks", str(store.root), "--device", "cpu"]
    arguments += METHODS["padim"]
    killed = warm.start(arguments, tmp_path / "said")
    until(lambda: list(store.root.glob(f"{SMALL}/.*/version/parts/train/rgb.f32")), "features of a part")
    killed.kill()
    assert killed.wait() < 0
    assert store.versions(SMALL) == []
    assert warm.start(arguments, tmp_path / "said").wait() == 0
    assert (store.versions(SMALL), store.verify(SMALL, "v1"), left_behind(store)) == (["v1"], [], [])
