"""oneDNN's linear layers say what torch says, and step back where they would not."""

from __future__ import annotations

import threading

import pytest
import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

from models.numerics.linear import FastLinear, linear

BY_ONEDNN = "mkldnn::_linear_pointwise"


def _draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


def _operations(layer: torch.nn.Module, rows: torch.Tensor) -> set[str]:
    with profile(activities=[ProfilerActivity.CPU]) as seen, torch.no_grad():
        layer(rows)
    return {event.key for event in seen.key_averages()}


@pytest.mark.parametrize("shape", [(5, 33), (2, 7, 33), (1, 33)])
@pytest.mark.parametrize("biased", [True, False])
def test_it_is_the_linear_layer(shape: tuple[int, ...], biased: bool) -> None:
    rows, weight, bias = _draw(*shape), _draw(20, 33), _draw(20) if biased else None
    torch.testing.assert_close(linear(rows, weight, bias), functional.linear(rows, weight, bias))


def test_strides_are_taken() -> None:
    rows, weight = _draw(33, 6).T, _draw(20, 40)[:, 7:]
    torch.testing.assert_close(linear(rows, weight), functional.linear(rows, weight))


def test_a_network_s_layers_are_computed_so_inside_the_block_alone() -> None:
    layer, rows = torch.nn.Linear(8, 4), _draw(3, 8)
    with torch.no_grad():
        outside = layer(rows)
        with FastLinear():
            inside, used = layer(rows), _operations(layer, rows)
            other: list[set[str]] = []
            thread = threading.Thread(target=lambda: other.append(_operations(layer, rows)))
            thread.start()
            thread.join()
        torch.testing.assert_close(inside, outside)
        assert BY_ONEDNN in used
        assert BY_ONEDNN not in other[0] | _operations(layer, rows)


def test_gradients_and_other_precisions_are_torch_s() -> None:
    rows, weight = _draw(3, 8).requires_grad_(), _draw(4, 8)
    linear(rows, weight).sum().backward()
    assert rows.grad is not None
    wide = _draw(3, 8, dtype=torch.float64)
    assert torch.equal(linear(wide, weight.double()), functional.linear(wide, weight.double()))
