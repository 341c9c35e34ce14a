"""The fastest OpenBLAS kernel for FAISS on this processor: measured once and cached per user.

The FAISS wheels contain an OpenBLAS of 2021. OpenBLAS takes newer processors for older ones and then runs at
half speed. `OPENBLAS_CORETYPE` selects another kernel, but OpenBLAS reads the variable only when it loads,
and an unknown name selects a kernel that is four times slower. So the candidates, including the default, are
timed in child processes.

This module must not import numpy or FAISS, because it runs before their import.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.atomic_file import write_atomically

VARIABLE = "OPENBLAS_CORETYPE"
CANDIDATES = ("", "SkylakeX", "Zen", "Haswell")
"""Kernel names that the OpenBLAS in the FAISS wheels knows; "" is its default."""

_GAIN = 1.2  # minimum speed relative to the default; above the noise of a busy machine
_LIMIT = 20.0  # seconds that a child process may take
_PROBE = """
import time, numpy, faiss
draw = numpy.random.default_rng(0)
index = faiss.IndexFlatL2(768)
index.add(draw.standard_normal((4096, 768), dtype=numpy.float32))
queries = draw.standard_normal((256, 768), dtype=numpy.float32)
def once():
    start = time.process_time()
    index.search(queries, 1)
    return time.process_time() - start
once()
print(2 * 256 * 4096 * 768 / min(once() for _ in range(9)) / 1e9)
"""  # the least CPU time of nine runs in one thread, which other processes hardly change


def ensure_kernel() -> str:
    """Set `OPENBLAS_CORETYPE` to the fastest kernel, from the cache or by measuring (a few seconds, once).

    Call this function before numpy or FAISS is imported. Returns the kernel's name; "" is the library's
    default. A variable that is already set stays unchanged. If no kernel can be measured, the variable is not
    set. Never raises.
    """
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return ""
    key = _key()
    cache = _cache()
    known = _read(cache)
    speeds = known.get(key)
    if not speeds:
        speeds = measure()
        if not speeds:
            return ""
        _write(cache, {**known, key: speeds})
    kernel = best(speeds)
    if kernel:
        os.environ[VARIABLE] = kernel
    return kernel


def measure(candidates: tuple[str, ...] = CANDIDATES) -> dict[str, float]:
    """GFLOP/s of a FAISS search in one thread, by kernel name. Kernels that fail on this processor are left
    out."""
    speeds: dict[str, float] = {}
    for kernel in candidates:
        speed = _probe(kernel)
        if speed is not None:
            speeds[kernel] = round(speed, 1)
    return speeds


def best(speeds: dict[str, float]) -> str:
    """The fastest kernel; "" if it is not clearly faster than the default, or the default was not
    measured."""
    kernel = max(speeds, key=lambda name: speeds[name], default="")
    return kernel if "" in speeds and speeds[kernel] >= _GAIN * speeds[""] else ""


def _probe(kernel: str) -> float | None:
    """GFLOP/s of one kernel in a child process; None if the child crashes (a missing instruction) or
    hangs."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if kernel:
        environment[VARIABLE] = kernel
    try:
        child = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env=environment,
            capture_output=True,
            timeout=_LIMIT,
            check=True,
            text=True,
        )
        return float(child.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _key() -> str:
    """Processor model and FAISS build, for which a measurement is valid."""
    return f"{_processor()} | {_faiss()}"


def _processor() -> str:
    """Model name of the processor, with the numbers that distinguish processors of the same name."""
    names = ("vendor_id", "cpu family", "model", "model name", "stepping")
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in fields.items()}
    return " ".join(facts[name] for name in names if name in facts)


def _faiss() -> str:
    for package in ("faiss-cpu", "faiss-gpu"):
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    return "faiss unknown"


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "tribank" / "blas.json"


def _read(cache: Path) -> dict[str, dict[str, float]]:
    """Measurements by key; empty if the file is missing or damaged."""
    try:
        data = json.loads(cache.read_text())
        return {
            str(key): {str(name): float(speed) for name, speed in speeds.items()}
            for key, speeds in data.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write(cache: Path, data: dict[str, dict[str, float]]) -> None:
    """Replace the file in one step. If the home folder is read-only, the next start measures again."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cache, json.dumps(data, indent=1))
    except OSError:
        return


if __name__ == "__main__":
    print(f"BLAS kernel for FAISS: {ensure_kernel() or 'the default'}")
