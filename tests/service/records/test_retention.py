"""What is kept for a time goes by itself, and rejected parts go with their results."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from service.disk_faults import Fault, RecordsError
from service.records.retention import keep_pruned
from service.settings import DAY_S, Settings
from service.watch.logs import make_logger
from tests.waiting import until

SCORE = "/v1/products/cookie/score"


def reject(running: Any, part: dict[str, bytes]) -> str:
    with running.client() as client:
        answer = client.post(SCORE, files=part)
    assert answer.json()["decision"] == "defective", answer.text
    return answer.json()["result_id"]


def parts(state: Path) -> set[str]:
    return {file.stem for file in (state / "parts").iterdir()}


def test_an_idle_service_forgets_results_and_their_parts(
    serve: Callable[..., Any],
    loader: Any,
    strict_settings: Settings,
    bad_part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    settings = strict_settings.model_copy(update={"results_days": 2 / DAY_S})
    with serve(settings, loader, state=tmp_path) as running:
        name = reject(running, bad_part)
        until(lambda: running.app.state.shared.records.store.find(name) is None, "the result that goes")
        until(lambda: not parts(tmp_path), "the part that goes")


def test_parts_without_a_result_go_at_the_start(
    serve: Callable[..., Any],
    loader: Any,
    strict_settings: Settings,
    bad_part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    with serve(strict_settings, loader, state=tmp_path) as running:
        name = reject(running, bad_part)
    shutil.copyfile(tmp_path / f"parts/{name}.npz", tmp_path / "parts/left.npz")
    with serve(strict_settings, loader, state=tmp_path):
        assert parts(tmp_path) == {name}


def test_what_the_disk_refuses_is_told_and_tried_again() -> None:
    stream, calls = io.StringIO(), 0

    def prune() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RecordsError("database or disk is full", Fault.FULL)

    async def some() -> None:
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            await asyncio.sleep(0.001)

        pruning = asyncio.create_task(
            keep_pruned([prune], keep_s=90_000, logger=make_logger(stream), sleep=sleep)
        )
        await asyncio.to_thread(until, lambda: calls >= 2, "the second try")
        pruning.cancel()
        with suppress(asyncio.CancelledError):
            await pruning
        assert set(pauses) == {3600}

    asyncio.run(some())
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert line["event"] == "not_pruned"
