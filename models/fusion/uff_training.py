"""Training the fusion network on pairs of patches of good parts (paper sec. 3.3)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from models.features import Rows
from models.fusion.contrast import contrastive_loss
from models.fusion.network import FusionNetwork
from models.points.alignment import expand
from models.training import Training, on_cpu, parts_of_step, seconds_of, train, write_tensors
from recipes.fusion import FusionTraining

Pair = tuple[Rows, Rows]
"""RGB rows (784, C_r) and point rows (3136, C_p) of one part, float32, not normalised; memory maps, too."""

WEIGHTS = "fusion.safetensors"


def train_uff(
    pairs: Sequence[Pair],
    settings: FusionTraining,
    out_dir: Path,
    progress: Callable[[int, int, float], None] = lambda done, total, loss: None,
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
    run = _run(pairs, settings, torch.device(device))
    out_dir.mkdir(parents=True, exist_ok=True)
    train(run, out_dir, progress)
    weights = on_cpu(run.network)
    write_tensors(weights, out_dir / WEIGHTS, {})
    return weights


def training_seconds(
    pair: Pair, parts: int, settings: FusionTraining, device: torch.device | str = "cpu"
) -> float:
    """Seconds of a training on this machine with so many parts that are like one pair."""
    return seconds_of(_run([pair] * parts, settings, torch.device(device)))


def learning_rate(step: int, settings: FusionTraining) -> float:
    """Linear from 0 over the warm-up, then half a cosine down to 0 (published schedule)."""
    if step < settings.warm_up:
        return settings.rate * step / settings.warm_up
    share = (step - settings.warm_up) / max(settings.steps - settings.warm_up, 1)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * share))


def _run(pairs: Sequence[Pair], settings: FusionTraining, device: torch.device) -> Training:
    """Network, optimizer and loss of one training run."""
    rgb, point = pairs[0]
    widths = (rgb.shape[1], point.shape[1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = FusionNetwork(*widths)
    network.to(device)

    def loss(step: int) -> torch.Tensor:
        query, key = network.embed(*_rows(step, pairs, settings, widths, device))
        return contrastive_loss(query, key, settings.temperature)

    return Training(
        network=network,
        optimizer=torch.optim.AdamW(
            network.parameters(), lr=settings.rate, betas=settings.betas, weight_decay=settings.decay
        ),
        steps=settings.steps,
        loss=loss,
        checkpoint_every=settings.checkpoint_every,
        facts=_identity(settings, len(pairs), widths),
        rate=lambda step: learning_rate(step, settings),
    )


def _identity(settings: FusionTraining, parts: int, widths: tuple[int, int]) -> str:
    fields = asdict(settings)
    del fields["checkpoint_every"]
    return json.dumps({"settings": fields, "parts": parts, "widths": widths})


def _rows(
    step: int,
    pairs: Sequence[Pair],
    settings: FusionTraining,
    widths: tuple[int, int],
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Paired rows (N, C_r) and (N, C_p) of the parts of one step."""
    rgb_rows, point_rows = [], []
    for part in parts_of_step(step, len(pairs), settings.batch, settings.seed):
        rgb, point = (_tensor(rows) for rows in pairs[part])
        if (rgb.shape[1], point.shape[1]) != widths or len(point) not in (len(rgb), 4 * len(rgb)):
            raise ValueError(
                f"part {part} has rows {tuple(rgb.shape)} and {tuple(point.shape)}; expected widths"
                f" {widths} and one or four point rows for each RGB row"
            )
        covered = point.any(1)
        point_rows.append(point[covered])
        rgb_rows.append((rgb if len(rgb) == len(point) else expand(rgb))[covered])
    return torch.cat(rgb_rows).to(device), torch.cat(point_rows).to(device)


def _tensor(rows: Rows) -> torch.Tensor:
    """On the CPU, float32; a memory map is read here."""
    return (
        rows.float().cpu() if isinstance(rows, torch.Tensor) else torch.from_numpy(np.array(rows, np.float32))
    )
