from __future__ import annotations

from pathlib import Path

from evaluation.bench.generated_weights import generate
from models.weights.store import WeightStore


def test_generated_weights_are_those_of_the_network_and_stay(tmp_path: Path) -> None:
    (file,) = generate(["uff", "efficientnet_lite1"], tmp_path)  # the second is installed
    written = file.read_bytes()
    assert WeightStore(tmp_path).load("uff")["xyz_mlp.fc1.weight"].std() > 0
    assert generate(["uff"], tmp_path) == []
    assert generate(["uff"], tmp_path / "other")[0].read_bytes() == written
