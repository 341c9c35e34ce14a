"""Training the two networks of AST, one after the other: a flow on good parts, then a student on the flow."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import nn

from models.ast.flow import Flow
from models.ast.student import Student
from models.cells import part_of
from models.training import Training, epoch_steps, parts_of_step
from recipes.trained import AstRecipe

Network = TypeVar("Network", bound=nn.Module)
_Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Of cells (N, C, side, side), and of how much of them is the part (N, side, side)."""


def flow_training(
    pictures: Sequence[torch.Tensor], recipe: AstRecipe, seed: int, device: torch.device | str
) -> Training:
    """The run that trains a flow: good parts are to be likely.

    pictures: (C + 1, side, side) float32, one a part, as `models.cells` makes them; read when a step needs
        them. seed: of the first weights and of the order of parts.
    """
    flow = _drawn(lambda: Flow(pictures[0].shape[0] - 1, pictures[0].shape[-1]), seed).to(device)

    def loss(cells: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
        numbers, logarithm = flow(cells)
        return (part * (0.5 * numbers.square().sum(dim=1) - logarithm)).mean()

    return _run(flow, pictures, recipe, seed, loss)


def student_training(pictures: Sequence[torch.Tensor], recipe: AstRecipe, flow: Flow, seed: int) -> Training:
    """The run that trains a student to make what a trained flow makes of good parts.

    pictures: as in `flow_training`. flow: frozen, on the device of the training.
    seed: of the first weights and of the order of parts.
    """
    student = _drawn(lambda: Student(flow.channels, flow.side, recipe.width), seed).to(flow.position.device)

    def loss(cells: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            numbers, _ = flow(cells)
        return (part[:, None] * (numbers - student(cells)).square()).mean()

    return _run(student.train(), pictures, recipe, seed, loss)


def _drawn(make: Callable[[], Network], seed: int) -> Network:
    """A network with weights drawn by a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _run(
    network: nn.Module, pictures: Sequence[torch.Tensor], recipe: AstRecipe, seed: int, loss_of: _Loss
) -> Training:
    device = next(network.parameters()).device

    def loss(step: int) -> torch.Tensor:
        chosen = parts_of_step(step, len(pictures), recipe.batch, seed)
        return loss_of(*part_of(torch.stack([pictures[part] for part in chosen]).to(device)))

    facts = recipe.model_dump(exclude={"checkpoint_every"}) | {"seed": seed, "parts": len(pictures)}
    return Training(
        network=network,
        optimizer=torch.optim.Adam(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay),
        steps=recipe.epochs * epoch_steps(len(pictures), recipe.batch),
        loss=loss,
        checkpoint_every=recipe.checkpoint_every,
        facts=json.dumps(facts | {"network": type(network).__name__, "shape": list(pictures[0].shape)}),
    )
