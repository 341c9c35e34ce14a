from __future__ import annotations

import ctypes
import threading

import pytest

from service.engine.workers import Workers
from tests.waiting import until


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_missed() -> None:
    pool = Workers(2, "tribank-test")
    first: threading.Thread = pool.submit(threading.current_thread).result(30)
    assert pool.alive()
    end = ctypes.py_object(SystemExit)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(first.ident or 0), end) == 1
    pool.submit(int)  # it wakes the thread, which then ends
    until(lambda: not pool.alive(), "the thread that is missed")
    pool.shutdown(wait=False)


def test_a_pool_that_was_shut_down_is_not_missed() -> None:
    pool = Workers(1, "tribank-test")
    pool.submit(int).result(30)
    pool.shutdown()
    assert pool.alive()
