"""The training loop: it stops and goes on to the bit, keeps the best network, and tells the time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from models.training import (
    CHECKPOINT,
    Training,
    TrainingFailed,
    epoch_steps,
    on_cpu,
    parts_of_step,
    train,
    with_remaining,
)

STEPS = 7
Optimizer = Callable[[nn.Module], torch.optim.Optimizer]
OPTIMIZERS: dict[str, Optimizer] = {
    "adam": lambda network: torch.optim.Adam(network.parameters(), lr=0.05),
    "sgd": lambda network: torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9),
    "sgd without a memory": lambda network: torch.optim.SGD(network.parameters(), lr=0.05),
}


class Stopped(Exception):
    pass


def silent(done: int, total: int, loss: float) -> None:
    """Tells nothing."""


def run_of(
    optimizer: Optimizer = OPTIMIZERS["adam"],
    judge: Callable[[nn.Module], float] | None = None,
    facts: str = "a run",
) -> Training:
    """A small network with running statistics that learns the sum of its inputs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.GELU(), nn.Linear(4, 1))

    def loss(step: int) -> torch.Tensor:
        inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        return (network(inputs) - inputs.sum(1, keepdim=True)).square().mean()

    return Training(
        network=network,
        optimizer=optimizer(network),
        steps=STEPS,
        loss=loss,
        checkpoint_every=2,
        facts=facts,
        judge=None if judge is None else lambda: judge(network),
        judge_every=2,
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("last", [1, 4, STEPS])
def test_a_stopped_run_ends_as_one_that_was_not(last: int, optimizer: str, tmp_path: Path) -> None:
    def stop(done: int, total: int, loss: float) -> None:
        if done == last:
            raise Stopped

    whole, stopped, resumed = (run_of(OPTIMIZERS[optimizer]) for _ in range(3))
    train(whole, tmp_path / "whole", silent)
    with pytest.raises(Stopped):
        train(stopped, tmp_path / "parts", stop)
    done: list[int] = []
    train(resumed, tmp_path / "parts", lambda number, total, loss: done.append(number))
    assert done == list(range(2 * (last // 2) + 1, STEPS + 1)) if last < STEPS else not done
    expected = on_cpu(whole.network)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in on_cpu(resumed.network).items())
    assert int(expected["1.num_batches_tracked"]) == STEPS


def test_the_best_network_is_kept_also_where_the_run_was_stopped_after_it(tmp_path: Path) -> None:
    judged: list[dict[str, torch.Tensor]] = []

    def judge(network: nn.Module) -> float:
        judged.append(on_cpu(network))
        return [3.0, 1.0, 2.0, 1.0][len(judged) - 1]

    def stop(done: int, total: int, loss: float) -> None:
        if done == 4:
            raise Stopped

    with pytest.raises(Stopped):
        train(run_of(judge=judge), tmp_path, stop)
    run = run_of(judge=judge)
    train(run, tmp_path, silent)
    assert len(judged) == 4, "steps 2, 4, 6 and 7"
    best = on_cpu(run.network)
    assert all(torch.equal(best[name], tensor) for name, tensor in judged[1].items())
    assert not torch.equal(best["0.weight"], judged[3]["0.weight"])


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    train(run_of(), tmp_path, silent)
    assert [file.name for file in tmp_path.iterdir()] == [CHECKPOINT]
    with pytest.raises(ValueError, match="other settings or parts"):
        train(run_of(facts="another"), tmp_path, silent)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: flipped(content, len(content) - 1),
        lambda content: flipped(content, content.index(b'"done":"') + len(b'"done":"')),
        lambda content: flipped(content, content.index(b"a run")),
    ],
    ids=["empty", "cut", "number", "steps done", "run"],
)
def test_a_run_begins_again_where_its_checkpoint_is_damaged(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    whole, again = run_of(), run_of()
    train(whole, tmp_path, silent)
    file = tmp_path / CHECKPOINT
    file.write_bytes(damage(file.read_bytes()))
    done: list[int] = []
    train(again, tmp_path, lambda number, total, loss: done.append(number))
    assert done[0] == 1
    expected = on_cpu(whole.network)
    assert all(torch.equal(expected[name], tensor) for name, tensor in on_cpu(again.network).items())


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    run = run_of(lambda network: torch.optim.SGD(network.parameters(), lr=math.inf))
    with pytest.raises(TrainingFailed, match="step 2"):
        train(run, tmp_path, silent)
    assert not (tmp_path / CHECKPOINT).exists()


def test_an_epoch_takes_every_part_once_in_a_new_order() -> None:
    assert epoch_steps(7, 3) == 2
    epochs = [[part for step in (2 * e, 2 * e + 1) for part in parts_of_step(step, 7, 3, 0)] for e in (0, 1)]
    assert all(len(set(epoch)) == 6 for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert len(parts_of_step(0, 2, 3, 0)) == epoch_steps(2, 3) + 1 == 2


def test_the_note_tells_loss_and_remaining_time() -> None:
    clock = iter([0.0, 10.0, 20.0])
    notes: list[str] = []
    told = with_remaining(lambda done, total, note: notes.append(note), lambda: next(clock))
    for done, loss in ((50, 0.25), (51, 0.125), (60, 0.1)):
        told(done, 100, loss)
    assert notes == ["loss 0.25", "loss 0.125, 8 min left", "loss 0.1, 80 s left"]
