"""What the process decides: before torch loads, and for every extractor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from models.extraction import point_extractor
from models.numerics import process
from models.weights.store import WeightStore
from recipes.points import PRESETS, FpfhChoice

_PREPARE = """
import json, os, sys
from models.numerics import process
loaded = sorted({"torch", "numpy", "faiss"} & set(sys.modules))
process.prepare_process(searches=False)
print(json.dumps([loaded, os.environ[process.WAIT_POLICY], os.environ[process.BLAS_WAIT]]))
"""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, ["PASSIVE", "4"]),
        ({"OMP_WAIT_POLICY": "ACTIVE", "OPENBLAS_THREAD_TIMEOUT": "26"}, ["ACTIVE", "26"]),
    ],
)
def test_threads_sleep_unless_the_user_decides_and_nothing_is_loaded(
    given: dict[str, str], kept: list[str]
) -> None:
    decided = {process.WAIT_POLICY, process.BLAS_WAIT}
    environment = {name: value for name, value in os.environ.items() if name not in decided}
    child = subprocess.run(
        [sys.executable, "-c", _PREPARE],
        env=environment | given,
        cwd=Path(process.__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(child.stdout) == [[], *kept]


@pytest.mark.parametrize(
    ("cores", "given", "threads"), [(1, None, "1"), (1, "3", "3"), (1 << 20, None, None)]
)
def test_a_quota_bounds_the_threads_unless_the_user_decides(
    cores: int, given: str | None, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "allowed_cores", lambda: cores)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.delenv(process.THREADS, raising=False)
    if given is not None:
        monkeypatch.setenv(process.THREADS, given)
    process.prepare_process(searches=False)
    assert os.environ.get(process.THREADS) == threads


_SPINNING = """
import time
from models.numerics import process
process.prepare_process(searches=False)
import numpy
square = numpy.ones((200, 200))
spun = 0
for _ in range(20):
    square @ square
    start = time.process_time()
    time.sleep(0.03)
    spun += time.process_time() - start
print(spun)
"""


def _printed(code: str) -> str:
    """What a process of its own prints, without a number of threads that this one was given."""
    environment = {name: value for name, value in os.environ.items() if name != process.THREADS}
    child = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=Path(process.__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    return child.stdout


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: OpenBLAS has no second thread")
def test_threads_of_numpy_do_not_spin_after_a_product() -> None:
    """Twenty pauses of 30 ms cost milliseconds of processor time in all; if a thread spins, 170 to 520."""
    said = _printed(_SPINNING)
    assert float(said) < 0.1


def test_every_extractor_computes_in_full_precision(tmp_path: Path) -> None:
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = True
    point_extractor(FpfhChoice(PRESETS["btf"]), WeightStore(tmp_path), "cpu")
    assert not process.decided().tf32


def test_exact_products_restore_the_precision() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with process.exact_products():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)


def test_use_threads() -> None:
    before = torch.get_num_threads()
    try:
        process.use_threads(before + 1)
        assert process.decided().threads == before + 1
    finally:
        process.use_threads(before)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: every library has one thread")
def test_numpy_multiplies_in_one_thread_and_faiss_in_all() -> None:
    """In a process of its own, because other tests may have set the numbers of this one."""
    code = (
        "import faiss, numpy, scipy.linalg\n"
        "from threadpoolctl import threadpool_info\n"
        "from models.numerics.process import small_products_in_one_thread\n"
        "small_products_in_one_thread()\n"
        "for pool in threadpool_info():\n"
        "    if pool['user_api'] == 'blas':\n"
        "        print('faiss' in pool['filepath'], pool['num_threads'])\n"
    )
    said = _printed(code)
    found = {tuple(line.split()) for line in said.splitlines()}
    assert ("False", "1") in found
    assert not {threads for faiss, threads in found if faiss == "False"} - {"1"}
    assert not {threads for faiss, threads in found if faiss == "True"} & {"1"}


@pytest.mark.parametrize(("cores", "helpers"), [(1, 1), (2, 1), (5, 4)])
def test_helpers_are_one_fewer_than_cores_and_stay(
    cores: int, helpers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "allowed_cores", lambda: cores)
    together = threading.Barrier(helpers)

    def beside_the_others(_: int) -> int:
        together.wait()
        return threading.get_ident()

    with process.helpers.__wrapped__() as pool:
        seen = [set(pool.map(beside_the_others, range(helpers))) for _ in range(3)]
    assert len(seen[0]) == helpers
    assert seen[0] == seen[1] == seen[2]
    assert threading.get_ident() not in seen[0]
    assert process.helpers() is process.helpers()
