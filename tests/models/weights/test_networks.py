from __future__ import annotations

import gc
from pathlib import Path

from models.extraction import Extractor
from models.rgb.coloured import ColouredExtractor
from models.weights.networks import shared
from models.weights.store import WeightStore
from recipes.extraction import Extraction
from recipes.points import PRESETS, FpfhChoice
from recipes.rgb import RgbChoice


class Thing:
    """Something that can be shared."""


def test_the_same_key_gives_the_same_object_as_long_as_it_is_used() -> None:
    made: list[int] = []

    def make() -> Thing:
        made.append(1)
        return Thing()

    first, again = shared(("a", 1), make), shared(("a", 1), make)
    assert first is again
    assert shared(("a", 2), make) is not first
    del first, again
    gc.collect()
    shared(("a", 1), make)
    assert len(made) == 3, "what nobody uses is not kept"


def test_extractors_of_the_same_weights_hold_one_network(tmp_path: Path) -> None:
    def extractor(colour: float, size: int = 224) -> Extractor:
        choice = Extraction(
            rgb=RgbChoice("efficientnet_lite0", colour=colour), point=FpfhChoice(PRESETS["btf"])
        )
        return Extractor(choice, WeightStore(tmp_path), rgb_size=size)

    first, other, plain = extractor(1.0), extractor(2.0), extractor(0.0)
    network = plain._extractors["rgb"]
    for coloured in (first, other):
        found = coloured._extractors["rgb"]
        assert isinstance(found, ColouredExtractor)
        assert found.network is network
    assert first._extractors["point"] is other._extractors["point"]
