"""Functions in LLVM's language, as a file holds them, made into machine code for this processor.

The code runs without Python's lock, in the thread that calls it. Nothing is written to disk, and no compiler
needs to be installed: LLVM comes with llvmlite. OpenVINO and torch make machine code in the same way.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Argument = int | float | NDArray[Any]
Kernel = Callable[..., None]
"""Takes whole numbers, real numbers and arrays, and writes its results into arrays."""

_NUMBERS = {"n": ctypes.c_int64, "x": ctypes.c_double}
_ARRAYS = {"N": np.dtype(np.int32), "F": np.dtype(np.float32), "X": np.dtype(np.float64)}
_LOADING = threading.Lock()
_KERNEL = re.compile(r"(?m)^; kernel (\w+) (\w+)$")


def load_kernels(path: Path) -> Mapping[str, Kernel]:
    """The functions that a file declares, by name. LLVM takes some tenths of a second for them, once.

    path: a file of `scripts/kernels.py`. Lines "; kernel NAME LETTERS" declare the arguments of a function: n
    and x are a whole and a real number, N, F and X arrays of int32, float32 and float64 in C order.

    A function raises TypeError for other arguments: machine code would read or write beyond an array.
    """
    with _LOADING:
        return _loaded(path)


@cache
def _loaded(path: Path) -> Mapping[str, Kernel]:
    import llvmlite.binding as llvm

    text = path.read_text()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    processor, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=processor, features=features, opt=3, jit=True)
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = target.triple, str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = True
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return {name: _kernel(engine, name, letters) for name, letters in _KERNEL.findall(text)}


def _kernel(engine: Any, name: str, letters: str) -> Kernel:
    types = [_NUMBERS.get(letter, ctypes.c_void_p) for letter in letters]
    # As numba calls functions: a place for what is returned, and one for an error, of which there are none.
    function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *types)(
        engine.get_function_address(name)
    )

    def kernel(*arguments: Argument) -> None:
        if len(arguments) != len(letters):
            raise TypeError(f"{name} takes {len(letters)} arguments, not {len(arguments)}")
        places = ctypes.create_string_buffer(16)
        given = [_passed(value, letter, name) for value, letter in zip(arguments, letters, strict=True)]
        function(ctypes.addressof(places), ctypes.addressof(places) + 8, *given)

    kernel.__dict__["engine"] = engine  # the code lives as long as the engine
    return kernel


def _passed(value: Argument, letter: str, name: str) -> int | float:
    if not isinstance(value, np.ndarray):
        if letter not in _NUMBERS:
            raise TypeError(f"{name} takes an array where {value!r} is given")
        return value
    if value.dtype != _ARRAYS.get(letter) or not value.flags.c_contiguous:
        wanted = _ARRAYS.get(letter, "a number")
        raise TypeError(f"{name} takes {wanted} in C order, not an array of {value.dtype}")
    return value.ctypes.data
