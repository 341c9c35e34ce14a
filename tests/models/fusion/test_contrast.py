"""The tiled loss against the dense one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from models.fusion.contrast import contrastive_loss


def units(seed: int, rows: int) -> torch.Tensor:
    drawn = torch.randn(rows, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(drawn, dim=1).requires_grad_()


@pytest.mark.parametrize("temperature", [1.0, 0.07])
@pytest.mark.parametrize("tile", [7, 50, 64])
def test_loss_and_gradients_equal_the_dense_ones(temperature: float, tile: int) -> None:
    query, key = units(1, 50), units(2, 50)
    dense = 2 * temperature * functional.cross_entropy(query @ key.T / temperature, torch.arange(50))
    tiled = contrastive_loss(query, key, temperature, tile)
    torch.testing.assert_close(tiled, dense)
    ours = torch.autograd.grad(3 * tiled, [query, key])
    expected = torch.autograd.grad(3 * dense, [query, key])
    torch.testing.assert_close(ours, expected)


class Largest(TorchDispatchMode):
    """Elements of the largest tensor that any operation made, backward included."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.elements = max(self.elements, result.numel())
        return result


def test_no_tensor_outgrows_the_rows() -> None:
    query, key = units(3, 400), units(4, 400)
    with Largest() as tiled:
        contrastive_loss(query, key, tile=20).backward()
    with Largest() as one_tile:
        contrastive_loss(query, key, tile=400).backward()
    assert tiled.elements == 400 * 16
    assert one_tile.elements == 400 * 400


def test_nothing_to_contrast_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        contrastive_loss(torch.zeros(0, 4), torch.zeros(0, 4))
