"""Linear layers on a CPU by oneDNN: torch's numbers up to rounding, on some processors in half of the time.

torch multiplies float32 matrices by MKL, which knows only its own maker's processors well: on an AMD EPYC
with AVX-512 it takes more than twice as long as oneDNN (docs/performance.md). torch brings oneDNN along, and
uses it by itself for convolutions only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode


def linear(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`torch.nn.functional.linear`, without gradients.

    rows: (..., C). weight: (M, C). bias: (M,). Where oneDNN is not for them, torch computes as ever: on a
    GPU, in another precision, in a torch without oneDNN, where a gradient is wanted.
    """
    wanted = torch.is_grad_enabled() and (rows.requires_grad or weight.requires_grad)
    if wanted or not (_plain(rows) and _plain(weight)) or not torch.backends.mkldnn.is_available():
        return functional.linear(rows, weight, bias)
    by_onednn: Any = torch.ops.mkldnn._linear_pointwise
    # Strides between rows would cost oneDNN its fast kernels.
    return by_onednn(rows.contiguous(), weight.contiguous(), bias, "none", [], "")


class FastLinear(TorchFunctionMode):
    """Inside `with FastLinear()`, the calling thread computes its linear layers by `linear`."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return (linear if func is functional.linear else func)(*args, **(kwargs or {}))


def _plain(tensor: torch.Tensor) -> bool:
    return tensor.device.type == "cpu" and tensor.dtype == torch.float32
