"""Weights: found, checked, converted; files of the official layouts, filled with generated weights."""

from __future__ import annotations

import argparse
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.fusion.network import FusionNetwork
from models.weights.catalogue import WEIGHTS, official_weights
from models.weights.store import BadWeights, MissingWeights, WeightStore, read_tensors
from tests.golden_inputs import drawn

Fill = Callable[[str], dict[str, torch.Tensor]]


@pytest.fixture
def fill(recipe: ModuleType) -> Fill:
    """A network's whole state dict, filled by the recipe."""

    return lambda name: drawn(recipe, name, 7)


def point_mae_checkpoint(state: dict[str, torch.Tensor]) -> dict[str, Any]:
    inside = {f"module.MAE_encoder.{key}": tensor for key, tensor in state.items()}
    others = ("mask_token", "decoder_pos_embed.0.weight", "MAE_decoder.norm.weight", "increase_dim.0.bias")
    inside |= {f"module.{key}": torch.zeros(3) for key in others}
    return {"base_model": inside, "optimizer": {"lr": 0.1}, "epoch": 300, "metrics": {}, "best_metrics": {}}


def point_bert_checkpoint(state: dict[str, torch.Tensor]) -> dict[str, Any]:
    inside = {f"module.transformer_q.{key}": tensor for key, tensor in state.items()}
    others = ("transformer_q.cls_head.0.weight", "transformer_q.mask_token", "transformer_q.lm_head.bias")
    others += ("transformer_k.norm.weight", "dvae.codebook", "queue", "queue_ptr")
    return {"base_model": inside | {f"module.{key}": torch.zeros(3) for key in others}, "epoch": 300}


def uff_checkpoint(state: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {"model": state, "epoch": 2, "scaler": {}, "args": argparse.Namespace(lr=0.003, device="cuda")}


CHECKPOINTS = {
    "pointmae": point_mae_checkpoint,
    "pointbert": point_bert_checkpoint,
    "uff": uff_checkpoint,
    "dino_vits8": dict,
}


@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_an_official_file_is_recognised_and_converted_once(name: str, fill: Fill, tmp_path: Path) -> None:
    state = fill(name)
    file = tmp_path / "download.pth"
    torch.save(CHECKPOINTS[name](state), file)
    store = WeightStore(tmp_path / "weights")
    stored = store.add(file)
    assert stored.name == name
    assert stored.path == tmp_path / "weights" / f"{name}.safetensors"
    assert stored.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [path.name for path in store.folder.iterdir()] == [stored.path.name]
    loaded = store.load(name)
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_official_files_also_load_as_they_are(name: str, fill: Fill, tmp_path: Path) -> None:
    state = fill(name)
    torch.save(CHECKPOINTS[name](state), tmp_path / WEIGHTS[name].files[0])
    loaded = WeightStore(tmp_path).load(name)
    assert loaded.keys() == state.keys()


def test_of_two_weights_with_equal_shapes_the_name_of_the_file_tells(tmp_path: Path) -> None:
    assert WEIGHTS["wide_resnet50_2"].shapes() == WEIGHTS["wide_resnet50_2_tv"].shapes()
    state = {
        name: torch.zeros(()).expand(shape) for name, shape in WEIGHTS["wide_resnet50_2"].shapes().items()
    }
    for name in ("wide_resnet50_2", "wide_resnet50_2_tv"):
        file = tmp_path / WEIGHTS[name].files[0]
        torch.save(state, file)
        assert WeightStore(tmp_path / "weights")._recognise(file)[0].name == name


def test_a_file_need_not_count_the_batches_that_its_networks_saw(fill: Fill, tmp_path: Path) -> None:
    state = fill("resnet18")
    kept = {name: tensor.half() for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    torch.save(kept, tmp_path / "resnet18-f37072fd.pth")
    loaded = WeightStore(tmp_path).load("resnet18")
    assert loaded.keys() == state.keys() != kept.keys()
    assert all(loaded[name].dtype == torch.float32 for name in kept)


def test_a_file_of_other_weights_says_what_differs(fill: Fill, tmp_path: Path) -> None:
    state = fill("dino_vits8")
    removed = state.pop("norm.bias")
    state["norm.beta"] = removed
    state["cls_token"] = torch.zeros(1, 1, 5)
    torch.save(state, tmp_path / "dino_deitsmall8_pretrain.pth")
    store = WeightStore(tmp_path)
    with pytest.raises(
        BadWeights, match=r"missing norm.bias.*unexpected norm.beta.*cls_token is \(1, 1, 5\)"
    ):
        store.load("dino_vits8")
    with pytest.raises(BadWeights, match="dino_vitb8"):
        store.add(tmp_path / "dino_deitsmall8_pretrain.pth")


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_values_that_are_not_finite_are_refused(value: float, fill: Fill, tmp_path: Path) -> None:
    state = fill("resnet18")
    state["fc.bias"][3] = value
    torch.save(state, tmp_path / WEIGHTS["resnet18"].files[0])
    with pytest.raises(BadWeights, match=r"fc.bias has values that are not finite"):
        WeightStore(tmp_path).load("resnet18")


def test_a_tensor_of_the_checkpoint_that_no_rule_knows_is_an_error(fill: Fill, tmp_path: Path) -> None:
    checkpoint = point_mae_checkpoint(fill("pointmae"))
    checkpoint["base_model"]["module.surprise.weight"] = torch.zeros(2)
    torch.save(checkpoint, tmp_path / "pretrain.pth")
    with pytest.raises(BadWeights, match=r"unexpected module\.surprise\.weight"):
        WeightStore(tmp_path).load("pointmae")


class Touch:
    """A pickle that would run a command when read carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    file, sign = tmp_path / "pretrain.pth", tmp_path / "executed"
    torch.save({"base_model": {}, "args": Touch(sign)}, file)
    with pytest.raises(BadWeights, match="cannot be read as weights"):
        WeightStore(tmp_path).load("pointmae")
    file.write_bytes(pickle.dumps(Touch(sign), protocol=2))
    with pytest.raises(BadWeights, match="cannot be read as weights"):
        WeightStore(tmp_path).load("pointmae")
    assert not sign.exists()


@pytest.mark.parametrize("file", ["broken.pth", "broken.npz", "broken.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04" + bytes(40)])
def test_broken_files_are_bad_weights(file: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(BadWeights, match=file):
        read_tensors(tmp_path / file)


def test_missing_weights_say_what_to_do(tmp_path: Path) -> None:
    store = WeightStore(tmp_path)
    with pytest.raises(MissingWeights, match=r"tribank weights fetch dino_vitb8.*dino_vitbase8_pretrain.pth"):
        store.load("dino_vitb8")
    with pytest.raises(MissingWeights, match="tribank weights add FILE"):
        store.load("uff")


def test_packaged_weights_are_the_published_ones(tmp_path: Path) -> None:
    stored = WeightStore(tmp_path).verify("efficientnet_lite1")
    assert stored.official is True
    assert stored.sha256 == WEIGHTS["efficientnet_lite1"].sha256


def test_a_converted_file_remembers_the_file_it_was_made_from(tmp_path: Path) -> None:
    store = WeightStore(tmp_path)
    source = store.describe("efficientnet_lite0")
    stored = store.add(source.path)
    assert stored.path.suffix == ".safetensors"
    assert stored.sha256 == source.sha256
    assert stored.official is True


def test_damage_to_a_converted_file_is_found(tmp_path: Path) -> None:
    """One flipped bit in the middle of the tensors, which safetensors itself takes no notice of."""
    store = WeightStore(tmp_path)
    source = WeightStore(tmp_path / "none").describe("efficientnet_lite0").path
    path = store.add(source).path
    assert store.verify("efficientnet_lite0").checksum
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadWeights, match="damaged"):
        store.load("efficientnet_lite0")
    with pytest.raises(BadWeights, match="damaged"):
        store.verify("efficientnet_lite0")


def test_a_file_converted_before_there_were_checksums_still_loads(tmp_path: Path) -> None:
    store = WeightStore(tmp_path)
    tensors, source = store.load("efficientnet_lite0"), store.describe("efficientnet_lite0")
    facts = {"name": source.name, "file": source.path.name, "sha256": source.sha256}
    kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(kept, tmp_path / "efficientnet_lite0.safetensors", metadata=facts)
    stored = store.verify("efficientnet_lite0")
    assert (stored.sha256, stored.official, stored.checksum) == (source.sha256, True, False)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match="efficientnet_lite0"):
        official_weights("resnet")


def test_a_fusion_network_may_have_other_widths(tmp_path: Path) -> None:
    """As `tribank train-uff` writes one for other extractors; its tensors must still fit each other."""
    state = FusionNetwork(6, 10).state_dict()
    save_file(state, tmp_path / "uff.safetensors")
    assert WeightStore(tmp_path).load("uff").keys() == state.keys()
    save_file(state | {"rgb_head.weight": torch.zeros(256, 7)}, tmp_path / "uff.safetensors")
    with pytest.raises(BadWeights, match=r"rgb_head.weight is \(256, 7\), not \(256, 6\)"):
        WeightStore(tmp_path).load("uff")
