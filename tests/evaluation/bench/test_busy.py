from __future__ import annotations

import psutil

from evaluation.bench.busy import beside


def test_the_processes_compute_inside_the_block_and_are_gone_after_it() -> None:
    before = set(psutil.Process().children())
    with beside(2):
        started = set(psutil.Process().children()) - before
        assert len(started) == 2
        assert all(process.status() != psutil.STATUS_ZOMBIE for process in started)
    assert not any(process.is_running() for process in started)
