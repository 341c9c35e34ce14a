"""Every named profile on a CUDA device: built there, and scored as on the host. See docs/gpu.md."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import cast

import numpy as np
import pytest
import torch

from banks.detector import Detector, PartResult
from banks.methods.memory_bank.search import free_dropped
from banks.versions.builder import Builder
from banks.versions.store import BankStore
from models.extraction import Extractor
from models.readers import read_files
from models.readers.product_folder import open_product_folder
from models.sample import Sample
from recipes.profile import Profile
from recipes.profiles import PROFILES, find_profile
from tests.golden_inputs import pair, write_product, write_weights

DEVICE = os.environ.get("TRIBANK_TEST_DEVICE", "cuda")
"""Set it to cpu to see that the test itself is sound where there is no GPU."""

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="no CUDA device"),
]


def _built(name: str, recipe: ModuleType, folder: Path) -> tuple[Path, Path, Sample, Profile]:
    """A version that the device built, the weights of its networks, a part to score, and its profile."""
    profile = find_profile(name, prepared=True, changes=["extraction.training.steps=2"])
    weights, product = folder / "weights", folder / "product"
    weights.mkdir()
    write_weights(recipe, weights, profile.extraction.weights(), 7)
    write_product(recipe, product, {"train": range(3), "validation": range(3, 5), "test": range(5, 6)})
    store = BankStore(folder / "banks")
    Builder(profile, store, device=DEVICE, weights_dir=weights).build("part", open_product_folder(product))
    return (
        store.path("part"),
        weights,
        read_files(dict(zip(("rgb", "xyz"), pair(product, "test", 5), strict=True))),
        profile,
    )


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_scores_as_on_the_host(name: str, recipe: ModuleType, tmp_path: Path) -> None:
    version, weights, sample, profile = _built(name, recipe, tmp_path)
    host, device = (
        Detector.load(version, device=where, weights_dir=weights).score([sample])[0]
        for where in ("cpu", DEVICE)
    )
    assert isinstance(host, PartResult)
    assert isinstance(device, PartResult)
    assert device.score == pytest.approx(host.score, rel=1e-2)
    for bank, expected in host.scores.findings.items():
        found = device.scores.findings[bank]
        highest = expected.values.max()
        assert found.image_score == pytest.approx(expected.image_score, rel=1e-3)
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-3, atol=1e-3 * highest)
        # the published blur works on 255 grey levels, and a pixel between two may fall to either
        step = 1.01 * highest / 255 if profile.blur == "pil8" else 1e-3 * highest
        np.testing.assert_allclose(device.bank_maps[bank], host.bank_maps[bank], rtol=1e-3, atol=step)


def test_versions_come_and_go_without_their_memory(recipe: ModuleType, tmp_path: Path) -> None:
    """Another thread loads and drops detectors, as the service's does; this one scores and frees."""
    version, weights, sample, _ = _built("m3dm", recipe, tmp_path)
    held: list[Detector] = []

    def load() -> None:
        held.append(Detector.load(version, device=DEVICE, weights_dir=weights))

    def on_another_thread(work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    scores: set[float] = set()
    free: list[int] = []
    on_another_thread(load)
    for _ in range(12):
        on_another_thread(load)
        (result,) = held[1].score([sample])
        assert isinstance(result, PartResult)
        scores.add(result.score)
        first, second = (cast(Extractor, detector.pipeline.extractor) for detector in held)
        assert first._extractors == second._extractors, "both use the same networks"
        del result
        on_another_thread(lambda: held.pop(1) and None)
        free_dropped()
        if DEVICE == "cuda":
            torch.cuda.synchronize()
            free.append(torch.cuda.mem_get_info()[0])
    assert len(scores) == 1
    assert max(free[2:], default=0) - min(free[2:], default=0) < 64 << 20, "what was dropped was freed"
