"""Both trainings of AST: their losses, and that the student learns what the flow makes of good parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.ast.flow import Flow
from models.ast.training import flow_training, student_training
from models.training import train
from recipes.trained import AstRecipe

RECIPE = AstRecipe(width=8, epochs=20, batch=4, rate=5e-3)


def pictures(count: int = 8) -> list[torch.Tensor]:
    """Cells that follow each other, and a part that is not everywhere."""
    draw = torch.Generator().manual_seed(0)
    found = []
    for _ in range(count):
        first = torch.randn(1, 4, 4, generator=draw)
        cells = torch.cat([first, first + 0.1 * torch.randn(3, 4, 4, generator=draw)])
        found.append(torch.cat([cells, torch.linspace(0, 1, 4).expand(1, 4, 4)]))
    return found


def test_a_flow_learns_what_good_parts_are_and_its_student_what_it_makes_of_them(tmp_path: Path) -> None:
    teaching = flow_training(pictures(), RECIPE, 0, "cpu")
    assert teaching.steps == 40, "twenty epochs of eight parts in fours"
    likely: list[float] = []
    train(teaching, tmp_path / "flow", lambda done, total, loss: likely.append(loss))
    flow = teaching.network.eval().requires_grad_(False)
    assert isinstance(flow, Flow)
    assert likely[-1] < likely[0] - 0.5
    learning = student_training(pictures(), RECIPE, flow, 0)
    losses: list[float] = []
    train(learning, tmp_path / "student", lambda done, total, loss: losses.append(loss))
    assert losses[-1] < 0.5 * losses[0]
    assert learning.facts != teaching.facts


def test_the_first_losses_are_by_the_formula() -> None:
    seen = torch.stack(pictures(4))
    cells, part = seen[:, :4], seen[:, 4]
    teaching = flow_training(pictures(4), RECIPE, 0, "cpu")
    expected = (part * 0.5 * (cells**2).sum(dim=1)).mean().item()
    assert teaching.loss(0).item() == pytest.approx(expected, rel=1e-5), "a new flow changes no number"
    flow = teaching.network
    assert isinstance(flow, Flow)
    learning = student_training(pictures(4), RECIPE, flow, 0)
    with torch.no_grad():
        missed = (flow(cells)[0] - learning.network(cells)) ** 2
    assert learning.loss(0).item() == pytest.approx((part[:, None] * missed).mean().item(), rel=1e-4)


def test_a_part_that_is_nowhere_teaches_nothing() -> None:
    nowhere = [torch.cat([picture[:4], torch.zeros(1, 4, 4)]) for picture in pictures(4)]
    assert flow_training(nowhere, RECIPE, 0, "cpu").loss(0).item() == 0
