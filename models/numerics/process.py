"""How this process computes: wait policy, BLAS kernel, threads and precision. Only this room decides them.

`tribank.py` calls `prepare_process` before any library loads. This module stays free of torch, numpy and
FAISS until one of the other functions needs them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from models.numerics import blas
from models.numerics.cores import allowed_cores

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

WAIT_POLICY = "OMP_WAIT_POLICY"
BLAS_WAIT = "OPENBLAS_THREAD_TIMEOUT"
SLEEPING = {WAIT_POLICY: "PASSIVE", BLAS_WAIT: "4"}
"""How threads wait for more work: asleep.

With sleeping threads of OpenMP, a part takes a third of the time if another process is busy, and the same
time on quiet cores. The OpenBLAS of NumPy and SciPy has threads of its own. By default they spin for 2^26
cycles after each product, and take the cores from whatever computes next: a third of a part's processor time.
"""
THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True, slots=True)
class Numerics:
    """What was decided for this process.

    Attributes:
        threads: CPU threads of torch and OpenVINO.
        networks: what runs convolutional networks on a CPU. "torch" where OpenVINO is not installed.
        wait_policy: how OpenMP threads wait at a barrier: "PASSIVE" (sleep) or "ACTIVE" (spin).
        blas_kernel: OpenBLAS kernel of FAISS; "" is the library's own choice.
        tf32: whether a GPU may round float32 products to TF32.
    """

    threads: int
    networks: Literal["openvino", "torch"]
    wait_policy: str
    blas_kernel: str
    tf32: bool


def prepare_process(*, searches: bool) -> None:
    """Decide what the libraries read when they load. Call this before torch, numpy or FAISS is imported.

    searches: whether the process may search a bank. Then the fastest BLAS kernel for FAISS is chosen, which
    may take a few seconds once per machine. Variables that are already set stay unchanged.
    """
    for name, value in SLEEPING.items():
        os.environ.setdefault(name, value)
    # Libraries see the affinity, and not the quota of a container: more threads than that only wait.
    cores = allowed_cores()
    if cores < (os.cpu_count() or 1):
        os.environ.setdefault(THREADS, str(cores))
    if searches:
        blas.ensure_kernel()


def full_precision() -> None:
    """Compute float32 in full precision. TF32 on a GPU would change convolutions and products by 1e-3."""
    import torch

    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


@contextmanager
def exact_products() -> Iterator[None]:
    """Compute torch's float32 matrix products in full precision inside the block, whatever was set before."""
    import torch

    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


def blas_threads(count: int) -> AbstractContextManager[object]:
    """Use this many BLAS threads inside the block: one for code that runs its own threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(count, user_api="blas")


def small_products_in_one_thread() -> None:
    """Use one thread in the OpenBLAS of NumPy and SciPy from now on.

    Their products are small here: a second thread saves tenths of a millisecond on quiet cores. On busy cores
    each product waits until the second thread gets a turn. FAISS has an OpenBLAS of its own, which keeps its
    threads.
    """
    from threadpoolctl import ThreadpoolController

    ThreadpoolController().select(threading_layer="pthreads").limit(limits=1)


def use_threads(count: int) -> None:
    """Use at most `count` CPU threads in torch."""
    import torch

    torch.set_num_threads(count)


def threads_in_use() -> int:
    """CPU threads of torch for what the calling thread computes."""
    import torch

    return torch.get_num_threads()


@cache
def helpers() -> ThreadPoolExecutor:
    """Threads that compute beside the one that calls: one fewer than cores, at least one.

    They stay. A new thread on a busy core waits for its first turn, and who started it waits with it. A job
    must not wait for another one.
    """
    return ThreadPoolExecutor(max(1, allowed_cores() - 1), "helper")


def use_threads_here(count: int) -> None:
    """Use at most `count` CPU threads for what the calling thread computes by torch, FAISS and Open3D.

    Call this once these libraries are loaded. Other threads keep their number.
    """
    threads_in_use()  # torch sets the number at a thread's first call
    _openmp().limit(limits=count)


@lru_cache(maxsize=1)
def _openmp() -> ThreadpoolController:
    """torch and FAISS each bring a copy of OpenMP, and a copy knows a number for each thread that calls."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="openmp")


def decided() -> Numerics:
    """Report what was decided for this process."""
    import torch

    return Numerics(
        threads=torch.get_num_threads(),
        networks="openvino" if find_spec("openvino") else "torch",
        wait_policy=os.environ.get(WAIT_POLICY, "ACTIVE"),
        blas_kernel=os.environ.get(blas.VARIABLE, ""),
        tf32=bool(torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32),
    )
