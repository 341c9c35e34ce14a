"""The flow: its inverse, and its volume against autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian

from models.ast.flow import POSITIONS, Flow, positions
from models.unfilled import unfilled

CHANNELS, SIDE = 5, 3


@pytest.fixture(scope="module")
def flow() -> Flow:
    """With drawn weights everywhere, also where a training begins with 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = Flow(CHANNELS, SIDE).double().requires_grad_(False)
        for name, parameter in made.named_parameters():
            parameter.normal_(0, 0.05)
            if name.endswith("size"):
                parameter.fill_(1 if "of_first" in name else -1)
    return made


def cells(count: int = 1) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.randn(count, CHANNELS, SIDE, SIDE, generator=draw, dtype=torch.float64)


def test_the_logarithm_of_the_volume_is_that_of_the_jacobian(flow: Flow) -> None:
    part = cells()
    matrix = jacobian(lambda flat: flow(flat.view_as(part))[0].flatten(), part.flatten())
    assert isinstance(matrix, torch.Tensor)
    sign, expected = torch.linalg.slogdet(matrix)
    _, logarithm = flow(part)
    assert logarithm.shape == (1, SIDE, SIDE)
    assert abs(sign.item()) == 1
    assert logarithm.sum().item() == pytest.approx(expected.item(), rel=1e-9)
    assert abs(expected.item()) > 1, "the flow changes volumes"
    across = matrix.view(CHANNELS, SIDE**2, CHANNELS, SIDE**2)[:, 0, :, 1]
    assert across.abs().max() > 1e-3, "a cell sees its neighbours"


def test_the_inverse_gives_the_cells_back(flow: Flow) -> None:
    part = cells(2)
    numbers, _ = flow(part)
    assert (numbers - part).abs().max() > 0.5
    torch.testing.assert_close(flow.inverse(numbers), part, rtol=0, atol=1e-9)


def test_a_new_flow_only_changes_the_order_of_the_channels() -> None:
    numbers, logarithm = Flow(CHANNELS, SIDE).double()(cells())
    assert not logarithm.any()
    torch.testing.assert_close(numbers.sort(dim=1).values, cells().sort(dim=1).values)
    assert not torch.equal(numbers, cells())


def test_positions_are_sines_and_cosines_of_column_and_row() -> None:
    code = positions(4).numpy()
    assert code.shape == (POSITIONS, 4, 4)
    for channel in range(POSITIONS):
        of_row, number = divmod(channel, POSITIONS // 2)
        rate = 1e4 ** (-(number - number % 2) / 16)
        wave = (np.cos if number % 2 else np.sin)(rate * np.arange(4))
        expected = np.broadcast_to(wave[:, None] if of_row else wave, (4, 4))
        np.testing.assert_allclose(code[channel], expected, atol=1e-6)


def test_a_flow_that_waits_for_its_weights_knows_its_places() -> None:
    with unfilled():
        waiting = Flow(CHANNELS, SIDE)
    waiting.load_state_dict(Flow(CHANNELS, SIDE).state_dict(), assign=True)
    assert waiting(cells().float())[0].shape == (1, CHANNELS, SIDE, SIDE)
