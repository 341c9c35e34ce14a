"""Networks without values: their names and shapes alone, before weights are loaded into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_DRAWING = frozenset(
    (
        *(Tensor.normal_, Tensor.uniform_, Tensor.erfinv_),
        *(Tensor.mul_, Tensor.add_, Tensor.div_, Tensor.clamp_),
    )
)
"""By these, timm's own initialisation and some of torch's draw values. None of them changes a shape."""


class _NothingDrawn(TorchFunctionMode):
    """Skips the functions of `torch.nn.init`, and what else fills a new network with values."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init" or func in _DRAWING:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


@contextmanager
def unfilled() -> Iterator[None]:
    """Networks that are made inside the block take no memory and draw no random weights.

    torch imports its compiler to draw values that do not exist, which takes more than a second.
    """
    with torch.device("meta"), _NothingDrawn():
        yield
