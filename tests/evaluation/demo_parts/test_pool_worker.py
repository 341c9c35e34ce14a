"""A killed parent leaves no worker behind; a worker leaves Ctrl-C to its parent."""

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

INTERRUPTED = """
import os, signal, sys, time
from evaluation.demo_parts import writer

def interrupt(done, total):
    if done == 1:  # a worker waits, and another one works
        os.killpg(0, signal.SIGINT)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job of a shell's background ignores it
    writer._write_part = time.sleep
    try:
        writer._write_all([0.0] * 4 + [0.2] * 8, interrupt)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_a_worker_ends_with_its_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.kill()
    psutil.wait_procs([worker], timeout=60)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_ctrl_c_ends_the_parent_alone_and_without_tracebacks() -> None:
    """A terminal sends Ctrl-C to all processes of the command."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, start_new_session=True
    )
    assert (done.returncode, done.stderr) == (130, "")
