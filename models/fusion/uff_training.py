"""Training the fusion network on pairs of patches of good parts (paper sec. 3.3)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from models.atomic_file import replacing
from models.features import Rows
from models.fusion.contrast import contrastive_loss
from models.fusion.network import FusionNetwork
from models.points.alignment import expand
from recipes.fusion import FusionTraining

Pair = tuple[Rows, Rows]
"""RGB rows (784, C_r) and point rows (3136, C_p) of one part, float32, not normalised; memory maps, too."""

CHECKPOINT = "checkpoint.safetensors"
WEIGHTS = "fusion.safetensors"


def train_uff(
    pairs: Sequence[Pair],
    settings: FusionTraining,
    out_dir: Path,
    progress: Callable[[int, int, float], None] | None = None,
    *,
    device: torch.device | str = "cpu",
) -> dict[str, torch.Tensor]:
    """Train a fusion network, write `out_dir/fusion.safetensors`, and return the same state dict (on the CPU,
    with the official keys).

    pairs: one for each part.
    settings: of the run.
    out_dir: also holds the checkpoint. A run that was stopped continues from there and ends with the result
        of a run that was not.
    progress: called after every step with the steps done, all steps and the step's loss.

    Patches are paired where they lie in the image. (The published code saved its pairs scrambled, m3dm_facts
    T5.) Only patches that have points count: their point vector is not zero. (The published code asks that no
    element is zero. That is the same for a transformer's vectors, but histograms have empty bins.)
    Raises ValueError without pairs, for other row shapes, or if the checkpoint is of another run.
    """
    if not len(pairs):
        raise ValueError("training the fusion network needs at least one part")
    run = _Run(pairs, settings, torch.device(device))
    out_dir.mkdir(parents=True, exist_ok=True)
    checkpoint = out_dir / CHECKPOINT
    done = run.restore(checkpoint) if checkpoint.exists() else 0
    for step in range(done, settings.steps):
        loss = run.step(step)
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == settings.steps:
            run.store(checkpoint, step + 1)
        if progress is not None:
            progress(step + 1, settings.steps, loss)
    weights = run.weights()
    write_tensors(weights, out_dir / WEIGHTS, {})
    return weights


def learning_rate(step: int, settings: FusionTraining) -> float:
    """Linear from 0 over the warm-up, then half a cosine down to 0 (published schedule)."""
    if step < settings.warm_up:
        return settings.rate * step / settings.warm_up
    share = (step - settings.warm_up) / max(settings.steps - settings.warm_up, 1)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * share))


class _Run:
    """Network, optimizer and data of one training run."""

    def __init__(self, pairs: Sequence[Pair], settings: FusionTraining, device: torch.device) -> None:
        self._pairs = pairs
        self._settings = settings
        self._device = device
        rgb, point = pairs[0]
        self._widths = (rgb.shape[1], point.shape[1])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = FusionNetwork(*self._widths)
        self._network = network.to(device)
        self._optimizer = torch.optim.AdamW(
            self._network.parameters(), lr=settings.rate, betas=settings.betas, weight_decay=settings.decay
        )

    def step(self, step: int) -> float:
        """One optimizer step; returns its loss."""
        rgb, point = self._rows(step)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(step, self._settings)
        self._optimizer.zero_grad(set_to_none=True)
        query, key = self._network.embed(rgb, point)
        loss = contrastive_loss(query, key, self._settings.temperature)
        loss.backward()
        self._optimizer.step()
        return loss.item()

    def weights(self) -> dict[str, torch.Tensor]:
        """State dict on the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self._network.state_dict().items()}

    def store(self, path: Path, done: int) -> None:
        """Everything a later run needs to go on, in one file that is either whole or not there."""
        tensors = {f"model.{name}": tensor for name, tensor in self.weights().items()}
        for name, parameter in self._network.named_parameters():
            for part, tensor in self._optimizer.state[parameter].items():
                tensors[f"optimizer.{part}.{name}"] = tensor.detach().cpu().reshape(tensor.shape)
        write_tensors(tensors, path, {"done": str(done), "run": self._identity()})

    def restore(self, path: Path) -> int:
        """Steps done by the run that wrote `path`. Raises ValueError if that was another run."""
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            if facts.get("run") != self._identity():
                raise ValueError(
                    f"{path} is of a run with other settings or parts: remove it or choose another folder"
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self._network.load_state_dict({name: tensors[f"model.{name}"] for name in self._network.state_dict()})
        for name, parameter in self._network.named_parameters():
            self._optimizer.state[parameter] = {
                part: tensors[f"optimizer.{part}.{name}"].to("cpu" if part == "step" else self._device)
                for part in ("step", "exp_avg", "exp_avg_sq")
            }
        return int(facts["done"])

    def _identity(self) -> str:
        settings = asdict(self._settings)
        del settings["checkpoint_every"]
        return json.dumps({"settings": settings, "parts": len(self._pairs), "widths": self._widths})

    def _rows(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Paired rows (N, C_r) and (N, C_p) of the parts of one step."""
        rgb_rows, point_rows = [], []
        for part in parts_of_step(step, len(self._pairs), self._settings):
            rgb, point = (_tensor(rows) for rows in self._pairs[part])
            if (rgb.shape[1], point.shape[1]) != self._widths or len(point) not in (len(rgb), 4 * len(rgb)):
                raise ValueError(
                    f"part {part} has rows {tuple(rgb.shape)} and {tuple(point.shape)}; expected widths"
                    f" {self._widths} and one or four point rows for each RGB row"
                )
            covered = point.any(1)
            point_rows.append(point[covered])
            rgb_rows.append((rgb if len(rgb) == len(point) else expand(rgb))[covered])
        return torch.cat(rgb_rows).to(self._device), torch.cat(point_rows).to(self._device)


def parts_of_step(step: int, parts: int, settings: FusionTraining) -> list[int]:
    """Indices of the parts of one step: a new order every epoch, incomplete last batches dropped.

    A function of the seed and the step alone, which is what makes a run resumable.
    """
    batch = min(settings.batch, parts)
    epoch, place = divmod(step, parts // batch)
    order = np.random.Generator(np.random.PCG64([settings.seed, epoch])).permutation(parts)
    return order[place * batch : (place + 1) * batch].tolist()


def _tensor(rows: Rows) -> torch.Tensor:
    """On the CPU, float32; a memory map is read here."""
    return (
        rows.float().cpu() if isinstance(rows, torch.Tensor) else torch.from_numpy(np.array(rows, np.float32))
    )


def write_tensors(tensors: dict[str, torch.Tensor], path: Path, facts: dict[str, str]) -> None:
    """A safetensors file that replaces the one before it in one move."""
    with replacing(path) as file:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file, facts)
