"""Training the fusion: it learns, it resumes to the bit, it refuses what it cannot use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from models.fusion.network import FusionNetwork
from models.fusion.uff import Uff
from models.fusion.uff_training import Pair, learning_rate, train_uff, training_seconds
from models.training import parts_of_step
from recipes.fusion import FusionTraining

SETTINGS = FusionTraining(steps=12, warm_up=4, batch=2, seed=3, checkpoint_every=5)


def pair(seed: int) -> Pair:
    """RGB 4 x 4 and points 8 x 8 that share a pattern; a quarter of the points is missing."""
    g = np.random.Generator(np.random.PCG64(seed))
    rgb = g.standard_normal((16, 6)).astype(np.float32)
    shared = rgb.reshape(4, 1, 4, 1, 6).repeat(2, 1).repeat(2, 3).reshape(64, 6)
    point = np.concatenate([shared, shared], 1)[:, :10] + 0.1 * g.standard_normal((64, 10))
    point[:16] = 0
    return rgb, point.astype(np.float32)


PAIRS = [pair(seed) for seed in range(5)]


class Stopped(Exception):
    pass


def stop_at(last: int):
    def progress(step: int, total: int, loss: float) -> None:
        if step == last:
            raise Stopped

    return progress


def test_training_lowers_the_loss_and_writes_what_it_returns(tmp_path: Path) -> None:
    losses: list[float] = []
    settings = replace(SETTINGS, steps=40)
    weights = train_uff(PAIRS, settings, tmp_path, lambda step, total, loss: losses.append(loss))
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.2
    written = load_file(tmp_path / "fusion.safetensors")
    assert written.keys() == FusionNetwork(6, 10).state_dict().keys()
    assert all(torch.equal(written[key], weights[key]) for key in weights)
    Uff.from_state(written)


@pytest.mark.parametrize("last", [3, 5, 9, 12])
def test_a_stopped_run_ends_as_one_that_was_not(tmp_path: Path, last: int) -> None:
    whole = train_uff(PAIRS, SETTINGS, tmp_path / "whole")
    with pytest.raises(Stopped):
        train_uff(PAIRS, SETTINGS, tmp_path / "parts", stop_at(last))
    resumed = train_uff(PAIRS, SETTINGS, tmp_path / "parts")
    assert all(torch.equal(resumed[key], whole[key]) for key in whole)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    train_uff(PAIRS, SETTINGS, tmp_path)
    with pytest.raises(ValueError, match="other settings or parts"):
        train_uff(PAIRS, replace(SETTINGS, rate=0.1), tmp_path)
    with pytest.raises(ValueError, match="other settings or parts"):
        train_uff(PAIRS[:4], SETTINGS, tmp_path)


def test_the_first_loss_is_the_dense_loss_of_aligned_covered_pairs(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = FusionNetwork(6, 10)
    rows: list[torch.Tensor] = []
    points: list[torch.Tensor] = []
    for part in parts_of_step(0, 5, SETTINGS.batch, SETTINGS.seed):
        rgb, point = PAIRS[part]
        for cell in range(16, 64):
            y, x = divmod(cell, 8)
            rows.append(torch.as_tensor(rgb[y // 2 * 4 + x // 2]))
            points.append(torch.as_tensor(point[cell]))
    query, key = network.embed(torch.stack(rows), torch.stack(points))
    dense = 2 * functional.cross_entropy(query @ key.T, torch.arange(len(rows)))
    losses: list[float] = []
    train_uff(PAIRS, replace(SETTINGS, steps=1), tmp_path, lambda step, total, loss: losses.append(loss))
    assert losses[0] == pytest.approx(dense.item(), rel=1e-5)


def test_memory_maps_and_tensors_train_alike(tmp_path: Path) -> None:
    mapped: list[Pair] = []
    for number, (rgb, point) in enumerate(PAIRS):
        files = []
        for kind, array in (("rgb", rgb), ("point", point)):
            np.save(tmp_path / f"{kind}{number}.npy", array)
            files.append(np.load(tmp_path / f"{kind}{number}.npy", mmap_mode="r"))
        mapped.append((files[0], files[1]))
    tensors: list[Pair] = [(torch.as_tensor(rgb), torch.as_tensor(point)) for rgb, point in PAIRS]
    first = train_uff(mapped, SETTINGS, tmp_path / "mapped")
    second = train_uff(tensors, SETTINGS, tmp_path / "tensors")
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_the_rate_warms_up_and_falls_by_a_cosine() -> None:
    settings = FusionTraining()
    assert learning_rate(0, settings) == 0
    assert learning_rate(125, settings) == pytest.approx(0.0015)
    assert learning_rate(250, settings) == 0.003
    assert learning_rate(500, settings) == pytest.approx(0.0015)
    assert learning_rate(749, settings) < 1e-7


def test_a_plan_times_steps_of_the_whole_run() -> None:
    short, long = (training_seconds(PAIRS[0], 5, replace(SETTINGS, steps=steps)) for steps in (10, 10_000))
    assert 0 < short < long / 50


def test_unusable_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one part"):
        train_uff([], SETTINGS, tmp_path)
    wrong = (PAIRS[0][0], np.zeros((48, 10), np.float32))
    with pytest.raises(ValueError, match="one or four point rows"):
        train_uff([wrong, wrong], SETTINGS, tmp_path)
    empty = (PAIRS[0][0], np.zeros((64, 10), np.float32))
    with pytest.raises(ValueError, match="nothing to learn"):
        train_uff([empty, empty], SETTINGS, tmp_path)
