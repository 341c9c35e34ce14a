from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service.http.gate import Gate
from service.http.keys import Keys
from service.refusals import Overloaded
from tests.waiting import until


async def _wait_in(gate: Gate, go_on: asyncio.Event) -> None:
    async with gate.turn():
        await go_on.wait()


def test_those_who_wait_get_half_of_the_places() -> None:
    async def story() -> None:
        gate, go_on = Gate(4, lambda: 7), asyncio.Event()
        waiting = [asyncio.create_task(_wait_in(gate, go_on)) for _ in range(6)]
        await asyncio.sleep(0)
        assert gate.inside == 2
        with gate.enter(), gate.enter():
            with pytest.raises(Overloaded) as caught, gate.enter():
                pass
            assert caught.value.headers["Retry-After"] == "7"
        go_on.set()
        await asyncio.gather(*waiting)
        assert gate.inside == 0

    asyncio.run(story())


def test_one_client_holds_its_share_at_most_and_others_the_rest() -> None:
    gate = Gate(4, lambda: 7, share=2)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(gate.enter("one"))
        with pytest.raises(Overloaded), gate.enter("one"):
            pass
        held.enter_context(gate.enter("two"))
        held.enter_context(gate.enter("three"))
        with pytest.raises(Overloaded), gate.enter("four"):
            pass
    with gate.enter("one"), gate.enter("one"):
        assert gate.inside == 2


def test_one_who_waits_comes_in_once_a_place_is_free() -> None:
    async def story() -> None:
        gate, go_on = Gate(2, lambda: 1), asyncio.Event()
        held = ExitStack()
        for _ in range(2):
            held.enter_context(gate.enter())
        waiting = asyncio.create_task(_wait_in(gate, go_on))
        await asyncio.sleep(0)
        assert not waiting.done()
        held.close()
        go_on.set()
        await waiting
        assert gate.inside == 0

    asyncio.run(story())


def test_places_may_be_taken_several_at_once() -> None:
    gate = Gate.shared(10, lambda: 7, fewest=6)
    with gate.enter("one", 6):
        with pytest.raises(Overloaded), gate.enter("one"):
            pass
        with pytest.raises(Overloaded), gate.enter("two", 5):
            pass
        with gate.enter("two", 4):
            assert gate.full
    assert gate.inside == 0


def test_no_key_takes_batches_exports_or_jobs_from_another(
    serve: Callable[..., Any], strict_settings: Any, loader: Any, tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    greedy, other = ({"X-API-Key": keys.add(name, "score")} for name in ("greedy", "other"))
    bounds = {"max_batches": 2, "max_exports": 2, "max_watchers": 2, "max_jobs": 2}
    settings = strict_settings.model_copy(update=bounds | {"batch_timeout_s": 600.0, "body_bytes_per_s": 0})
    url = "/v1/products/cookie/batch"
    head = (
        f"POST {url} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
        f"X-API-Key: {greedy['X-API-Key']}\r\nContent-Length: 1000\r\n\r\nPK"
    )
    kind = {"Content-Type": "application/zip"}
    with serve(settings, loader, state=tmp_path) as running, running.client() as client, ExitStack() as held:
        shared = running.app.state.shared
        dripping = held.enter_context(socket.create_connection((running.host, running.port), 20))
        dripping.sendall(head.encode())
        until(lambda: shared.batches.inside == 1, "the batch that drips")
        refused = client.post(url, content=b"PK", headers=kind | greedy)
        assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
        assert client.post(url, content=b"PK", headers=kind | other).status_code == 422

        for gate, who in ((shared.watchers, "key greedy"), (shared.exports, "key greedy")):
            held.enter_context(gate.enter(who))
        assert client.get("/v1/results.csv", headers=greedy).status_code == 429
        assert client.get("/v1/results.csv", headers=other).status_code == 200

        def submit(owner: str) -> int:
            work = shared.jobs.submit("batch", "cookie", {}, owner=owner)
            try:
                asyncio.run_coroutine_threadsafe(work, running.server._loop).result(60)
            except Overloaded as refusal:
                return refusal.status
            return 202

        shared.jobs.drain()  # queued jobs stay queued
        assert [submit("greedy"), submit("greedy"), submit("other")] == [202, 429, 202]
