"""A frozen network, compiled for this processor by OpenVINO: the same numbers in half of torch's time."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

import torch

from models.libraries import import_openvino

Run = Callable[[torch.Tensor], torch.Tensor]
"""From one float32 tensor to another."""
Runtime = Literal["openvino", "torch"]
"""What runs a network."""
_LARGEST_DIFFERENCE = 1e-4
"""Between the compiled network and torch, as a share of the largest value. Rounding makes 3e-6."""


def compiled(run: Run, shape: Sequence[int]) -> Run:
    """The same computation, compiled. Where OpenVINO cannot run it, `run` itself; the log says so once.

    run: computes on the CPU by torch, on inputs of `shape`. What it does must not depend on the values.

    The result may be called from any thread. It uses as many threads as torch has now. In a thread that
    shares the cores (`models.numerics.process.use_threads_here`) it uses one, and as many calls are computed
    at once. Its output is bitwise the same with every number of threads.
    """
    try:
        return _Compiled(run, shape)
    except Exception as error:  # whatever a library does not like: torch computes the same
        _tell(f"OpenVINO does not run this network, so torch does, more slowly: {error}")
        return run


def runtime_of(run: Run) -> Runtime:
    """What runs a result of `compiled`."""
    return "openvino" if isinstance(run, _Compiled) else "torch"


class _Compiled:
    def __init__(self, run: Run, shape: Sequence[int]) -> None:
        """Raises whatever OpenVINO raises; ArithmeticError where it computes something else than torch."""
        example = torch.rand(*shape, generator=torch.Generator().manual_seed(0))
        model, expected = _converted(run, example)
        self._threads = torch.get_num_threads()
        core = import_openvino().Core()

        def for_calls(at_once: int) -> Any:
            settings = {
                "NUM_STREAMS": at_once,
                "INFERENCE_PRECISION_HINT": "f32",  # else bfloat16 or float16, where the processor has it
                "INFERENCE_NUM_THREADS": self._threads,
                "ENABLE_CPU_PINNING": False,  # other work runs beside this
            }
            return core.compile_model(model, "CPU", settings)

        self._alone = for_calls(at_once=1)
        self._beside = for_calls(at_once=self._threads) if self._threads > 1 else self._alone
        difference = float((self(example) - expected).abs().max() / expected.abs().max())
        if not difference <= _LARGEST_DIFFERENCE:
            raise ArithmeticError(f"its output differs from torch's by {difference:.1e}")

    def __call__(self, value: torch.Tensor) -> torch.Tensor:
        """A request for each call, as a request serves one thread at a time."""
        model = self._alone if torch.get_num_threads() >= self._threads else self._beside
        request = model.create_infer_request()
        return torch.from_numpy(request.infer([value.numpy()], share_inputs=True)[0])


def _converted(run: Run, example: torch.Tensor) -> tuple[Any, torch.Tensor]:
    """OpenVINO's model of `run`, and the output of `run` for the example.

    A function is traced and not a module: weights then are constants, and torch need not look at each layer.
    """
    openvino = import_openvino()
    outputs: list[torch.Tensor] = []

    def traced(value: torch.Tensor) -> torch.Tensor:
        outputs.append(run(value))
        return outputs[-1]

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is deprecated, and a network's own checks are constants
        graph = torch.jit.trace(traced, (example,), check_trace=False)
        front = openvino.frontend.FrontEndManager().load_by_framework("pytorch")
        decoder = openvino.frontend.pytorch.ts_decoder.TorchScriptPythonDecoder(graph, skip_freeze=True)
        model = front.convert(front.load(decoder))
    model.reshape(list(example.shape))
    return model, outputs[-1].detach().clone()


@lru_cache(maxsize=8)
def _tell(sentence: str) -> None:
    """Write a sentence into the log, once."""
    logging.getLogger(__name__).warning(sentence)
