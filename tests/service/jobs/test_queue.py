"""Jobs through a real server, with a kind that counts."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.jobs import queue
from service.jobs.queue import Jobs
from service.jobs.store import MAX_ATTEMPTS, JobStore
from service.jobs.task import Progress, Task
from service.refusals import NotReady, Refusal
from service.threads import on_disk
from service.watch.logs import make_logger
from service.watch.metrics import Metrics
from tests.service.sqlite import connection_of
from tests.waiting import until


class Lost(NotReady):
    """What counts as a try of the job."""

    at_fault = True


class Counting:
    """Counts to `request["to"]`, a line a step; waits for `go_on` before each. quiet: waits once, no line.
    unready: is not ready so often. loses: is never ready, and may be the cause."""

    name = "count"

    def __init__(self) -> None:
        self.go_on = threading.Semaphore(0)
        self.tries = 0

    async def run(self, task: Task) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._count, task)

    def _count(self, task: Task) -> Mapping[str, Any]:
        if task.job.request.get("fail"):
            raise Refusal(422, "no_parts", "There is nothing to count.")
        if task.job.request.get("break"):
            raise ZeroDivisionError
        if task.job.request.get("quiet"):
            self.go_on.acquire()
            return {}
        self.tries += 1
        if self.tries <= task.job.request.get("unready", 0):
            raise NotReady("loading", "The product's bank is being loaded.")
        if task.job.request.get("loses"):
            raise Lost("node_lost", "The node was lost.")
        to = task.job.request["to"]
        for number in range(task.count_lines(), to):
            while not self.go_on.acquire(timeout=0.02):
                task.check()
            task.add_line(json.dumps({"number": number}))
            task.progress("counting", number + 1, to)
        return {"counted": to}


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def running(serve: Any, strict_settings: Any, loader: Any, counting: Counting) -> Iterator[Any]:
    settings = strict_settings.model_copy(update={"max_jobs": 3, "max_watchers": 1})
    with serve(settings, loader, kinds=[counting]) as running:
        yield running


def submit(running: Any, request: Mapping[str, Any], **options: Any) -> Any:
    """Queue a job as a route does, on the server's loop."""
    jobs = running.app.state.shared.jobs
    call = jobs.submit("count", "cookie", request, **options)
    return asyncio.run_coroutine_threadsafe(call, running.server._loop).result(5)


def ended(client: httpx.Client, job: str) -> dict[str, Any]:
    """The job once it has ended (its events last as long)."""
    return json.loads(client.get(f"/v1/jobs/{job}/events").text.splitlines()[-1])


def ended_by_asking(client: httpx.Client, job: str) -> None:
    until(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "done", "the job's end")


def told(running: Any, event: str) -> dict[str, Any]:
    """The first log line of an event, once it is there."""
    return until(lambda: [line for line in running.log if line["event"] == event], f"a line of {event}")[0]


def pragma(running: Any, text: str) -> int | None:
    """Set something on the connection by which the server writes its jobs."""
    db = connection_of(running.app.state.shared.jobs.store)
    row = db.execute(f"PRAGMA {text}").fetchone()
    return row and row[0]


def two_lines(client: httpx.Client, job: str) -> None:
    until(lambda: client.get(f"/v1/jobs/{job}/results").text.count("\n") == 2, "two lines")


def test_a_job_runs_and_tells_how_far_it_is(running: Any, counting: Counting) -> None:
    job = submit(running, {"to": 3})
    with running.client() as client, client.stream("GET", f"/v1/jobs/{job.id}/events") as answer:
        lines = (json.loads(line) for line in answer.iter_lines())
        assert next(lines)["state"] in ("queued", "running")
        counting.go_on.release(2)
        told = next(told for told in lines if told.get("done") == 2)
        assert (told["stage"], told["total"], told["eta_s"] >= 0) == ("counting", 3, True)
        counting.go_on.release()
        last = list(lines)[-1]
    assert (last["state"], last["result"]) == ("done", {"counted": 3})
    with running.client() as client:
        results = client.get(f"/v1/jobs/{job.id}/results", params={"after": 1})
        assert [json.loads(line) for line in results.text.splitlines()] == [{"number": 1}, {"number": 2}]
        assert client.get("/v1/jobs").json()["jobs"][0]["job_id"] == job.id
        assert client.get("/v1/jobs", params={"product": "bagel"}).json() == {"jobs": []}
        assert client.delete(f"/v1/jobs/{job.id}").status_code == 204
        assert client.get(f"/v1/jobs/{job.id}").status_code == 404


def opened(store: JobStore, counting: Counting, *, at_once: int = 1) -> Jobs:
    """The queues of an open store, without a server."""
    limits: dict[str, Any] = {"most_waiting": 9, "keep_bytes": 1 << 30}
    jobs = Jobs(store, metrics=Metrics(), logger=make_logger(io.StringIO()), **limits)
    store.open()
    jobs.register(counting, at_once=at_once)
    return jobs


def test_as_many_jobs_run_at_once_as_their_kind_says(tmp_path: Path, counting: Counting) -> None:
    def states(jobs: Jobs) -> list[str]:
        return sorted(job.state for _, job in jobs.store.newest())

    async def counted() -> None:
        jobs = opened(JobStore(tmp_path), counting, at_once=2)
        await jobs.start()
        for product in ("cookie", "bagel", "tile"):
            await jobs.submit("count", product, {"to": 1})
        for done in range(4):
            want = sorted(["done"] * done + ["running"] * min(2, 3 - done) + ["queued"] * max(0, 1 - done))
            await on_disk(lambda want=want: until(lambda: states(jobs) == want, str(want)))
            counting.go_on.release()
        await jobs.stop()

    asyncio.run(counted())


class Held(JobStore):
    """Waits for `go_on` once a step of a job is on record, before the queue hears of it."""

    def __init__(self, folder: Path, step: str) -> None:
        super().__init__(folder)
        self.written, self.go_on = threading.Event(), threading.Event()
        step_of = getattr(self, step)

        def held(*args: Any, **options: Any) -> Any:
            done = step_of(*args, **options)
            if step != "take" or done is not None:
                self.written.set()
                self.go_on.wait()
            return done

        setattr(self, step, held)


@pytest.mark.parametrize(("step", "tries"), [("take", 0), ("put_back", 1)])
def test_a_job_is_cancelled_at_any_step(tmp_path: Path, counting: Counting, step: str, tries: int) -> None:
    async def cancelled() -> None:
        store = Held(tmp_path, step)
        jobs = opened(store, counting)
        await jobs.start()
        job = await jobs.submit("count", "cookie", {"to": 1, "unready": 1})
        await on_disk(store.written.wait)
        await jobs.cancel(job.id)
        store.go_on.set()
        counting.go_on.release(2)
        last = await jobs.submit("count", "cookie", {"quiet": True})
        await on_disk(lambda: until(lambda: (one := store.find(last.id)) and one.ended, "the next job"))
        await on_disk(lambda: until(lambda: (one := store.find(job.id)) and one.ended, "the end"))
        ended = store.find(job.id)
        assert ended is not None
        assert (ended.state, counting.tries) == ("cancelled", tries)
        await jobs.stop()

    asyncio.run(cancelled())


def test_a_job_that_another_server_cancels_waits_no_longer(
    database: str, tmp_path: Path, counting: Counting
) -> None:
    async def cancelled() -> None:
        jobs, other = opened(JobStore(tmp_path / "left", database), counting), JobStore(tmp_path, database)
        await jobs.start()
        job = await jobs.submit("count", "cookie", {"unready": 99})
        await on_disk(lambda: until(lambda: jobs._pauses and not jobs._running, "the job put back"))
        other.open()
        other.end(job.id, "cancelled")
        await on_disk(lambda: until(lambda: not jobs._pauses, "no job that waits"))
        other.close()
        await jobs.stop()

    asyncio.run(cancelled())


def test_a_job_that_is_taken_while_the_service_stops_does_not_begin(
    tmp_path: Path, counting: Counting
) -> None:
    async def stopped() -> Jobs:
        store = Held(tmp_path, "take")
        jobs = opened(store, counting)
        await jobs.start()
        await jobs.submit("count", "cookie", {"to": 1})
        await on_disk(store.written.wait)
        jobs.drain()
        store.go_on.set()
        await jobs.stop()
        return jobs

    counting.go_on.release()
    store = asyncio.run(stopped()).store
    store.open()
    assert ([(job.state, job.attempts) for _, job in store.newest()], counting.tries) == ([("queued", 0)], 0)
    store.close()


def test_a_job_that_may_be_the_cause_is_tried_three_times(
    running: Any, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAUSES_S", (0.01, 0.02))
    job = submit(running, {"loses": True})
    with running.client() as client:
        last = ended(client, job.id)
    assert (last["state"], last["problem"]["code"]) == ("failed", "node_lost")
    assert counting.tries == MAX_ATTEMPTS


def test_a_job_that_goes_on_has_the_pace_of_what_it_does_now() -> None:
    before = Progress("scoring", done=80, total=100, first=80, since=time.monotonic() - 1)
    assert before.eta_s() is None
    assert replace(before, done=82).eta_s() == pytest.approx(9, rel=0.1)


def test_events_come_as_server_sent_events(running: Any, counting: Counting) -> None:
    counting.go_on.release(1)
    job = submit(running, {"to": 1})
    with running.client() as client:
        answer = client.get(f"/v1/jobs/{job.id}/events", headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    last = answer.text.strip().split("\n\n")[-1]
    assert last.startswith("event: job\ndata: ")
    assert json.loads(last.partition("data: ")[2])["state"] == "done"


def test_cancelling_a_running_and_a_waiting_job(running: Any, counting: Counting) -> None:
    first, second = submit(running, {"to": 9}), submit(running, {"to": 9})
    counting.go_on.release(2)
    with running.client() as client:
        two_lines(client, first.id)
        assert client.delete(f"/v1/jobs/{first.id}").json()["code"] == "job_not_ended"
        assert client.post(f"/v1/jobs/{second.id}/cancel").json()["state"] == "cancelled"
        client.post(f"/v1/jobs/{first.id}/cancel")
        assert ended(client, first.id)["state"] == "cancelled"
        assert client.get(f"/v1/jobs/{first.id}/results").text.count("\n") == 2
        assert client.post(f"/v1/jobs/{first.id}/cancel").json()["state"] == "cancelled"


def test_a_refusal_fails_the_job_and_a_fault_of_ours_tells_nothing(running: Any) -> None:
    refused, broken = submit(running, {"fail": True}), submit(running, {"break": True})
    with running.client() as client:
        problem = ended(client, refused.id)["problem"]
        assert (problem["status"], problem["code"]) == (422, "no_parts")
        assert ended(client, broken.id)["problem"]["code"] == "internal"
    assert any(line["event"] == "job_failed" for line in running.log)


def test_a_job_that_the_service_is_not_ready_for_waits_and_holds_up_no_other(
    running: Any, counting: Counting
) -> None:
    later = submit(running, {"to": 1, "unready": 2})
    told(running, "job_put_back")
    sooner = submit(running, {"quiet": True})
    counting.go_on.release(2)
    with running.client() as client:
        assert ended(client, sooner.id)["state"] == "done"
        assert client.get(f"/v1/jobs/{later.id}").json()["state"] == "queued"
        assert ended(client, later.id)["result"] == {"counted": 1}
    pauses = [line["again_in_s"] for line in running.log if line["event"] == "job_put_back"]
    assert pauses == [1, 2]


def test_a_job_does_not_wait_for_ever_for_a_product(running: Any, counting: Counting) -> None:
    running.app.state.shared.jobs.patience_s = 0.5
    job = submit(running, {"to": 1, "unready": 99})
    with running.client() as client:
        last = ended(client, job.id)
    assert (last["state"], last["problem"]["code"]) == ("failed", "loading")
    assert counting.tries == 2


def test_jobs_that_rest_take_no_place_from_others(running: Any, counting: Counting) -> None:
    jobs = [submit(running, {"to": 1, "unready": 3}) for _ in range(3)]
    until(lambda: sum(line["event"] == "job_put_back" for line in running.log) == 3, "the jobs that rest")
    other = submit(running, {"quiet": True})
    counting.go_on.release(9)
    with running.client() as client:
        assert ended(client, other.id)["state"] == "done"
        for job in jobs:
            ended_by_asking(client, job.id)


def test_jobs_and_watchers_are_bounded(running: Any, counting: Counting) -> None:
    jobs = [submit(running, {"to": 1}) for _ in range(3)]
    with pytest.raises(Refusal) as refused:
        submit(running, {"to": 1})
    assert refused.value.status == 429
    url = f"/v1/jobs/{jobs[0].id}/events"
    with running.client() as client, running.client() as other:
        with client.stream("GET", url) as answer:
            lines = answer.iter_lines()
            next(lines)
            assert other.get(url).status_code == 429
        counting.go_on.release(3)
        for job in jobs:
            ended_by_asking(other, job.id)
        page = other.get("/v1/jobs", params={"limit": 2}).json()
        rest = other.get("/v1/jobs", params={"before": page["next"]}).json()
        assert [job["job_id"] for job in page["jobs"] + rest["jobs"]] == [job.id for job in reversed(jobs)]
        assert "next" not in rest
        until(lambda: other.get(url).status_code == 200, "the place of the watcher that left")


def test_a_job_goes_on_after_a_restart(serve: Any, strict_settings: Any, loader: Any, tmp_path: Path) -> None:
    before, after = Counting(), Counting()
    with serve(strict_settings, loader, state=tmp_path, kinds=[before]) as running:
        job = submit(running, {"to": 4})
        before.go_on.release(2)
        with running.client() as client:
            two_lines(client, job.id)
    after.go_on.release(2)
    with serve(strict_settings, loader, state=tmp_path, kinds=[after]) as running, running.client() as client:
        assert ended(client, job.id)["result"] == {"counted": 4}
        lines = client.get(f"/v1/jobs/{job.id}/results").text.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1, 2, 3]


def test_a_full_disk_fails_the_job_that_met_it_and_no_later_one(running: Any, counting: Counting) -> None:
    pages = pragma(running, "page_count")
    pragma(running, f"max_page_count = {pages}")
    job = submit(running, {"to": 500})
    counting.go_on.release(500)
    assert told(running, "job_failed")["job"] == job.id
    pragma(running, "max_page_count = 100000")
    with running.client() as client:
        last = ended(client, job.id)
        assert (last["state"], last["problem"]["status"], last["problem"]["code"]) == (
            "failed",
            507,
            "disk_full",
        )
        kept = client.get(f"/v1/jobs/{job.id}/results").text.splitlines()
        assert 0 < len(kept) < 500
        counting.go_on.release(1)
        assert ended(client, submit(running, {"quiet": True}).id)["state"] == "done"


def test_a_disk_that_takes_nothing_holds_jobs_up_and_loses_none(running: Any, counting: Counting) -> None:
    jobs = [submit(running, {"quiet": True}) for _ in range(2)]
    with running.client() as client:
        until(lambda: client.get(f"/v1/jobs/{jobs[0].id}").json()["state"] == "running", "the job's start")
        pragma(running, "query_only = 1")
        counting.go_on.release(2)
        assert "readonly" in told(running, "jobs_not_written")["reason"]
        assert client.get("/readyz").status_code == 200
        pragma(running, "query_only = 0")
        assert [ended(client, job.id)["state"] for job in jobs] == ["done", "done"]


def test_a_server_that_runs_no_jobs_is_not_ready(running: Any) -> None:
    with running.client() as client:
        assert client.get("/readyz").status_code == 200
        worker = running.app.state.shared.jobs._workers["count", 0]
        running.server._loop.call_soon_threadsafe(worker.cancel)
        until(lambda: client.get("/readyz").status_code != 200, "a server that is not ready")
        (reason,) = client.get("/readyz").json()["not_ready"]
        assert "count" in reason
        assert client.get("/v2/health/ready").status_code == 503


def test_watchers_are_let_go_when_the_service_drains(running: Any) -> None:
    job = submit(running, {"to": 1})
    with running.client() as client, client.stream("GET", f"/v1/jobs/{job.id}/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        running.app.state.shared.drain()
        assert all(json.loads(line)["state"] in ("queued", "running") for line in lines)


@pytest.mark.parametrize("name", ["unknown", "..%2fx", "x" * 5000, "%00"])
def test_unknown_jobs_are_404(client: httpx.Client, name: str) -> None:
    for url in (f"/v1/jobs/{name}", f"/v1/jobs/{name}/events", f"/v1/jobs/{name}/results"):
        assert client.get(url).status_code == 404
