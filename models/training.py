"""Training a network: one loop for all that train. A run that was stopped goes on where it stopped.

A step is a function of its number and of the network alone: its parts, their order and their changes come
from a seed and that number. So a run that was stopped ends, on one machine, with the numbers of a run that
was not.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from models.atomic_file import replacing
from models.tensor_digest import digest_of

CHECKPOINT = "checkpoint.safetensors"
_CHECKSUM = "checksum"
_ON_CPU = "step"  # Adam counts its steps on the CPU
_TIMED = 2  # steps that a plan times, after one that is slower


class TrainingFailed(ValueError):
    """A training that cannot go on. The message says what to do."""


@dataclass(frozen=True)
class Training:
    """One training run.

    network: its parameters and buffers change in place.
    optimizer: of parameters of the network.
    steps: of the whole run.
    loss: the scalar loss of a step, with gradients; called with the step's number, from 0 on.
    checkpoint_every: steps between two checkpoints.
    facts: names the run: text that differs where the result would.
    rate: learning rate of a step; None leaves the optimizer's.
    judge: a number for the network as it is, lower is better. The run then ends with the best network that
        was judged; None ends with the last.
    judge_every: steps between two judgements. The last step is judged, too.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    steps: int
    loss: Callable[[int], torch.Tensor]
    checkpoint_every: int
    facts: str
    rate: Callable[[int], float] | None = None
    judge: Callable[[], float] | None = None
    judge_every: int = 1

    def step(self, step: int) -> float:
        """One optimizer step; returns its loss. Raises TrainingFailed where the loss is no number."""
        if self.rate is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate(step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(step)
        loss.backward()
        self.optimizer.step()
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingFailed(f"The loss of training step {step + 1} is no number. Lower the rate.")
        return value


def train(training: Training, folder: Path, progress: Callable[[int, int, float], None]) -> None:
    """Train the network of a run, from its checkpoint on if there is one.

    folder: of the checkpoint, made at the first one.
    progress: called after every step with the steps done, all steps and the step's loss.

    Raises TrainingFailed, ValueError if the checkpoint is of another run, OSError.
    """
    path = folder / CHECKPOINT
    best = _Best()
    done = _restore(training, path, best) if path.exists() else 0
    for step in range(done, training.steps):
        loss = training.step(step)
        last = step + 1 == training.steps
        if training.judge is not None and ((step + 1) % training.judge_every == 0 or last):
            best.look(training.judge(), training.network)
        if (step + 1) % training.checkpoint_every == 0 or last:
            _store(training, path, step + 1, best)
        progress(step + 1, training.steps, loss)
    if best.state:
        training.network.load_state_dict(best.state)


class _Best:
    """The best network of a run so far."""

    def __init__(self) -> None:
        self.value = math.inf
        self.state: dict[str, torch.Tensor] = {}

    def look(self, value: float, network: nn.Module) -> None:
        if value < self.value:
            self.value, self.state = value, on_cpu(network)


def on_cpu(network: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of a network's state dict on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def _store(training: Training, path: Path, done: int, best: _Best) -> None:
    """Everything a later run needs to go on, in one file that is either whole or not there."""
    tensors = {f"model.{name}": tensor for name, tensor in on_cpu(training.network).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.state.items()}
    for name, parameter in training.network.named_parameters():
        for part, tensor in training.optimizer.state[parameter].items():
            if tensor is not None:
                tensors[f"optimizer.{part}.{name}"] = tensor.detach().cpu().reshape(tensor.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"done": str(done), "run": training.facts, "best": repr(best.value)}
    write_tensors(tensors, path, facts | {_CHECKSUM: _checksum(tensors, facts)})


def _checksum(tensors: Mapping[str, torch.Tensor], facts: Mapping[str, str]) -> str:
    """Hex sha256 of a checkpoint's content."""
    return hashlib.sha256(json.dumps([digest_of(tensors), sorted(facts.items())]).encode()).hexdigest()


def _restore(training: Training, path: Path, best: _Best) -> int:
    """Steps done by the run that wrote `path`; 0 where the file is damaged. Raises ValueError if that was
    another run."""
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError:
        return 0
    if facts.pop(_CHECKSUM, None) != _checksum(tensors, facts):
        return 0
    if facts["run"] != training.facts:
        raise ValueError(
            f"{path} is of a run with other settings or parts: remove it or choose another folder"
        )
    training.network.load_state_dict(_inside(tensors, "model"))
    best.value, best.state = float(facts.get("best", "inf")), _inside(tensors, "best")
    kept = _inside(tensors, "optimizer")
    for name, parameter in training.network.named_parameters():
        parts = {key.partition(".")[0] for key in kept if key.partition(".")[2] == name}
        if parts:
            training.optimizer.state[parameter] = {
                part: kept[f"{part}.{name}"].to("cpu" if part == _ON_CPU else parameter.device)
                for part in sorted(parts)
            }
    return int(facts["done"])


def _inside(tensors: Mapping[str, torch.Tensor], group: str) -> dict[str, torch.Tensor]:
    start = f"{group}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def write_tensors(tensors: Mapping[str, torch.Tensor], path: Path, facts: dict[str, str]) -> None:
    """A safetensors file that replaces the one before it in one move."""
    with replacing(path) as file:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file, facts)


def epoch_steps(parts: int, batch: int) -> int:
    """Steps of one epoch, without an incomplete last batch. Fewer parts than a batch make one batch."""
    return parts // min(batch, parts)


def parts_of_step(step: int, parts: int, batch: int, seed: int) -> list[int]:
    """Numbers of the parts of one step: a new order every epoch.

    A function of the seed and the step alone, which is what makes a run resumable.
    """
    batch = min(batch, parts)
    epoch, place = divmod(step, epoch_steps(parts, batch))
    order = np.random.Generator(np.random.PCG64([seed, epoch])).permutation(parts)
    return order[place * batch : (place + 1) * batch].tolist()


def seconds_of(training: Training) -> float:
    """Seconds of the whole run on this machine, from a few of its steps. The network changes."""
    training.step(0)
    start = time.perf_counter()
    for step in range(1, 1 + _TIMED):
        training.step(step)
    return training.steps * (time.perf_counter() - start) / _TIMED


def with_remaining(
    progress: Callable[[int, int, str], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[int, int, float], None]:
    """A callback for `train` that passes on the loss and the remaining time as a note. clock: in seconds."""
    began: tuple[float, int] | None = None

    def told(done: int, total: int, loss: float) -> None:
        nonlocal began
        now = clock()
        note = f"loss {loss:.4g}"
        if began is None:
            began = (now, done)
        elif done > began[1]:
            left = (total - done) * (now - began[0]) / (done - began[1])
            note += f", {left / 60:.0f} min left" if left >= 90 else f", {left:.0f} s left"
        progress(done, total, note)

    return told
