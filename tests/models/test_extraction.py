"""Extractors of one part, side by side where one of them needs one thread only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from models import extraction
from models.extraction import Extractor
from models.features import Patches
from models.layout import GridLayout
from models.points.fpfh import FpfhExtractor
from models.preparation.prepare import PreparedPart
from models.weights.store import WeightStore
from recipes.extraction import Extraction
from recipes.points import PRESETS, FpfhChoice


def test_histograms_run_beside_another_extractor(
    golden_part: Callable[[int], PreparedPart], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same patches and times for each bank; with one thread, one after the other."""
    threads: dict[str, set[int]] = {"image": set(), "point": set()}
    extractor = Extractor(
        Extraction(point=FpfhChoice(PRESETS["btf"], side=28)), WeightStore(), rgb_size=224, device="cpu"
    )
    real = FpfhExtractor.__call__

    def image(parts: Sequence[PreparedPart]) -> list[Patches]:
        threads["image"].add(threading.get_ident())
        return [Patches(torch.zeros(4, 3), GridLayout(2)) for _ in parts]

    def points(self: FpfhExtractor, parts: Sequence[PreparedPart]) -> list[Patches]:
        threads["point"].add(threading.get_ident())
        return real(self, parts)

    monkeypatch.setattr(FpfhExtractor, "__call__", points)
    extractor._extractors = {"rgb": image, **extractor._extractors}
    found = {}
    for count in (1, 2):
        threads["point"].clear()
        monkeypatch.setattr(extraction, "threads_in_use", lambda count=count: count)
        features, milliseconds = extractor(golden_part(7))
        assert list(features) == list(milliseconds) == ["rgb", "point"]
        assert threads["image"] == {threading.get_ident()}
        assert (threads["point"] == threads["image"]) == (count == 1)
        found[count] = features["point"].rows.numpy()
    np.testing.assert_array_equal(found[1], found[2])
    assert found[1].any()
