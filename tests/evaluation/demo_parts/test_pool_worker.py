"""A killed parent leaves no worker behind."""

from __future__ import annotations

import subprocess
import sys

import psutil

PARENT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from evaluation.demo_parts.pool_worker import end_with_parent

if __name__ == "__main__":
    fresh = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=fresh, initializer=end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 600)
    time.sleep(600)
"""


def test_a_worker_ends_with_its_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.kill()
    psutil.wait_procs([worker], timeout=60)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
