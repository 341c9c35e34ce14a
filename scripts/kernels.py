"""`make kernels`: translate each *_kernels.py of the packages into LLVM's language, a file .ll beside each.

numba, which only developers need, translates each function, and LLVM simplifies all of them. What only some
processors can do is left to the machine that loads a file. A file names neither a processor nor a system.
"""

from __future__ import annotations

import os
import re
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType

os.environ.update(NUMBA_OPT="0", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
sys.path.insert(0, str(Path(__file__).parents[1]))

import llvmlite.binding as llvm
from numba import types
from numba.core import compiler, registry
from numba.core.cpu_options import FastMathOptions

from banks.methods.memory_bank import nearest_kernels
from models.points import fpfh_kernels, neighbour_kernels

SOURCES = fpfh_kernels, neighbour_kernels, nearest_kernels
TYPES = {
    "n": types.int64,
    "x": types.float64,
    "N": types.CPointer(types.int32),
    "F": types.CPointer(types.float32),
    "X": types.CPointer(types.float64),
}


def translated(source: ModuleType, kernel: str, letters: str) -> llvm.ModuleRef:
    """One function of a source. letters: the types of its arguments."""
    target, flags = registry.cpu_target, compiler.Flags()
    for name, value in {
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
        "error_model": "numpy",
        "fastmath": FastMathOptions(getattr(source, "FASTMATH", False)),
    }.items():
        setattr(flags, name, value)
    made = compiler.compile_extra(
        target.typing_context,
        target.target_context,
        getattr(source, kernel),
        tuple(TYPES[letter] for letter in letters),
        None,
        flags,
        {},
    )
    text = made.library.get_llvm_str().replace(made.fndesc.llvm_func_name, kernel)
    text = re.sub(r"(?m)^target .*$", "", text)
    text = text.replace("@sqrt(", "@llvm.sqrt.f64(")  # NaN for a negative number, without an error
    text = text.replace("define linkonce_odr ", "define internal ").replace(" common ", " internal ")
    head = re.search(rf"(?m)^define .*@{kernel}\(.*$", text)
    assert head is not None
    # No array overlaps another.
    apart = re.sub(r"(ptr|double\*|float\*|i32\*) (?=%arg)", r"\1 noalias ", head[0])
    return llvm.parse_assembly(text.replace(head[0], apart))


def simplified(module: llvm.ModuleRef) -> str:
    """The text of a module after the passes that suit every processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu="generic", features="", opt=1)
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = options.loop_unrolling = options.loop_interleaving = False
    options.slp_vectorization = False
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return str(module)


def write(source: ModuleType) -> None:
    """Write the file. Its head holds the sha256 of the source, and the types of each function's arguments."""
    kernels: dict[str, str] = source.KERNELS
    first, *others = (translated(source, name, letters) for name, letters in kernels.items())
    for other in others:
        first.link_in(other)
    place = Path(str(source.__file__))
    first.name = place.stem
    head = [f"; made by `make kernels` from {place.name}, sha256 {sha256(place.read_bytes()).hexdigest()}"]
    head += [f"; kernel {name} {letters}" for name, letters in kernels.items()]
    place.with_suffix(".ll").write_text("\n".join([*head, simplified(first)]))


if __name__ == "__main__":
    for each in SOURCES:
        write(each)
