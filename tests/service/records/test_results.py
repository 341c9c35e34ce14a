from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.disk_faults import Fault, RecordsError
from service.records.results import Filter, Result, ResultStore

NOW = time.time()


def result(number: int, **changes: Any) -> Result:
    facts: dict[str, Any] = {
        "id": f"{number:032x}",
        "created": NOW + number,
        "product": "cookie",
        "part_id": f"part-{number}",
        "bank_version": "v1",
        "score": float(number),
        "threshold": 2.5,
        "decision": "defective" if number > 2 else "good",
        "simulates": None,
        "answer": '{"score": 1}',
    }
    return Result(**(facts | changes))


@pytest.fixture
def store(tmp_path: Path, uri: str | None) -> Iterator[ResultStore]:
    store = ResultStore(tmp_path, uri, keep_s=3600, keep_bytes=10_000_000)
    store.open()
    yield store
    store.close()


def numbers(store: ResultStore, asked: Filter) -> list[int]:
    return [int(kept.result.id, 16) for kept in store.newest(asked, limit=1000)]


def test_a_result_comes_back_as_it_was_given(store: ResultStore) -> None:
    store.add(result(1), b"picture")
    kept = store.find(result(1).id)
    assert kept is not None
    assert (kept.result, kept.verdict, kept.note) == (result(1), None, None)
    assert store.picture(result(1).id) == b"picture"
    assert store.find("none") is None
    assert store.picture("none") is None


FILTERS: tuple[tuple[Filter, list[int]], ...] = (
    (Filter(), [4, 3, 2, 1]),
    (Filter(product="bagel"), [2]),
    (Filter(bank_version="v2"), [3]),
    (Filter(part_id="part-1"), [1]),
    (Filter(decision="good"), [2, 1]),
    (Filter(verdict="good"), [4]),
    (Filter(verdict="none"), [3, 2, 1]),
    (Filter(since=NOW + 2, until=NOW + 4), [3, 2]),
    (Filter(simulated=True), [5]),
    (Filter(product="cookie", decision="defective", verdict="none"), [3]),
    (Filter(score_from=2.0, score_below=4.0), [3, 2]),
    (Filter(job="j"), [3]),
    (Filter(plane_found=False), [1]),
    (Filter(plane_found=True), [4]),
    (Filter(products=["bagel", "tile"]), [2]),
    (Filter(products=[]), []),
    (Filter(labels={"lot": "A-1", "line": "7"}), [1]),
    (Filter(labels={"lot": "A-2"}), []),
)


def test_filters(store: ResultStore) -> None:
    for number, changes in enumerate(
        (
            {"answer": '{"plane_found": false}', "labels": '{"line": "7", "lot": "A-1"}'},
            {"product": "bagel"},
            {"bank_version": "v2", "job": "j"},
            {"answer": '{"plane_found": true}'},
            {"simulates": "x"},
        ),
        start=1,
    ):
        store.add(result(number, **changes), b"")
    store.judge(result(4).id, "good")
    for asked, expected in FILTERS:
        assert numbers(store, asked) == expected, asked


def test_pages_meet_without_gap_or_overlap_while_results_come(store: ResultStore) -> None:
    for number in range(1, 8):
        store.add(result(number), b"")
    pages = store.all(Filter(), page=3)
    first = next(pages)
    store.add(result(9), b"")
    rest = [kept for page in pages for kept in page]
    assert [int(kept.result.id, 16) for kept in [*first, *rest]] == [7, 6, 5, 4, 3, 2, 1]


def test_the_last_word_counts_and_can_be_taken_back(store: ResultStore) -> None:
    store.add(result(3), b"")
    store.judge(result(3).id, "defective")
    judged = store.judge(result(3).id, "good", "a reflection")
    assert judged is not None
    assert (judged.verdict, judged.note) == ("good", "a reflection")
    assert judged.verdict_time == pytest.approx(time.time(), abs=60)
    assert store.scores(Filter(), limit=9) == [(3.0, "good")]
    undone = store.judge(result(3).id, None)
    assert undone is not None
    assert (undone.verdict, undone.verdict_time, undone.note) == (None, None, None)
    assert store.judge("none", "good") is None


def test_the_oldest_go_above_the_bytes(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, keep_s=3600, keep_bytes=100_000)
    store.open()
    for number in range(1, 301):
        store.add(result(number), b"x" * 2000)
    left = store.newest(Filter(), limit=1000)
    assert [int(kept.result.id, 16) for kept in left] == list(range(300, 300 - len(left), -1))
    assert 30 <= len(left) <= 50
    store.close()
    # Freed pages are used again, so the file does not grow with what has gone through it.
    assert (tmp_path / "results.sqlite").stat().st_size < 400_000
    store.open()
    store.add(result(301), b"x" * 2000)
    assert len(store.newest(Filter(), limit=1000)) <= len(left) + 1
    store.close()


def test_results_that_come_while_others_are_deleted_are_counted(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, keep_s=3600, keep_bytes=100_000)
    store.open()
    done = threading.Event()

    def prune() -> None:
        while not done.is_set():
            store.prune()

    with ThreadPoolExecutor(2) as retention:
        for _ in range(2):
            retention.submit(prune)
        for number in range(1, 201):
            store.add(result(number), b"x" * 2000)
        done.set()
    left = numbers(store, Filter())
    assert left == list(range(200, 200 - len(left), -1))
    assert 30 <= len(left) <= 50
    store.close()


def test_a_result_is_on_record_whether_or_not_others_can_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ResultStore(tmp_path, keep_s=3600, keep_bytes=1)
    store.open()

    def full() -> None:
        raise RecordsError("database or disk is full", Fault.FULL)

    monkeypatch.setattr(store, "prune", full)
    store.add(result(1), b"")
    assert numbers(store, Filter()) == [1]
    store.close()


def test_a_product_with_many_results_pushes_out_its_own(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, keep_s=3600, keep_bytes=100_000)
    store.open()
    for number in range(1, 6):
        store.add(result(number, product="cap"), b"x" * 2000)
    for number in range(6, 201):
        store.add(result(number, product="tile"), b"x" * 2000)
    assert store.recent_products() == ["tile", "cap"]
    assert numbers(store, Filter(product="cap")) == [5, 4, 3, 2, 1]
    left = numbers(store, Filter(product="tile"))
    assert left == list(range(200, 200 - len(left), -1))
    assert 25 <= len(left) <= 45
    for number in range(201, 301):  # now this one is talkative: both get half
        store.add(result(number, product="cap"), b"x" * 2000)
    shares = [len(numbers(store, Filter(product=name))) for name in ("cap", "tile")]
    assert abs(shares[0] - shares[1]) <= 2
    store.close()
    store.open()  # the shares are read from the file
    store.add(result(301, product="cap"), b"x" * 2000)
    assert numbers(store, Filter())[0] == 301
    assert len(numbers(store, Filter())) <= sum(shares) + 1
    store.close()


def aged(tmp_path: Path, ran: list[float]) -> ResultStore:
    store = ResultStore(tmp_path, keep_s=86_400, keep_bytes=10_000_000, ticks=lambda: ran[0])
    store.open()
    return store


def test_the_old_go_but_what_a_person_judged(tmp_path: Path) -> None:
    ran = [5.0]
    store = aged(tmp_path, ran)
    for number in range(1, 201):
        store.add(result(number), b"")
    store.judge(result(7).id, "good")
    ran[0] += 86_399
    store.add(result(201), b"")
    store.prune()
    assert len(numbers(store, Filter())) == 201
    ran[0] += 2
    store.prune()
    assert numbers(store, Filter()) == [201, 7]
    store.close()


@pytest.mark.parametrize("leap", [40 * 86_400.0, -40 * 86_400.0])
def test_a_clock_that_leaps_loses_nothing_and_stops_nothing(
    tmp_path: Path, leap: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = [0.0]
    store = aged(tmp_path, ran)
    store.add(result(1, created=NOW + 400 * 86_400), b"")  # written while the clock was wrong before
    for number in range(2, 300):
        store.add(result(number, created=NOW), b"")
    monkeypatch.setattr(time, "time", lambda: NOW + leap)
    store.prune()
    store.add(result(300, created=NOW + leap), b"")
    store.close()
    ran[0] = 7.0  # another process: its monotonic clock begins anew
    store.open()
    store.prune()
    assert len(numbers(store, Filter())) == 300
    ran[0] += 86_401
    store.add(result(301, created=NOW), b"")
    store.prune()
    assert numbers(store, Filter()) == [301]
    store.close()


def test_age_goes_on_over_restarts(tmp_path: Path) -> None:
    ran = [0.0]
    store = aged(tmp_path, ran)
    store.add(result(1), b"")
    for _ in range(3):  # 10 hours a day
        ran[0] += 36_000
        store.close()
        ran[0] = 100.0
        store.open()
    store.prune()
    assert numbers(store, Filter()) == []
    store.close()


def test_a_file_of_before_keeps_its_results_for_as_long_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as db:
        db.executescript((Path(__file__).parents[2] / "data" / "state" / "results-0.sql").read_text())
    ran = [0.0]
    store = aged(tmp_path, ran)
    store.open()
    store.prune()
    assert numbers(store, Filter()) == [3, 1]
    ran[0] += 86_401
    store.prune()
    assert numbers(store, Filter()) == [3], "what a person judged stays"
    store.close()


def test_results_outlive_the_service(tmp_path: Path) -> None:
    for number in (1, 2):
        store = ResultStore(tmp_path, keep_s=3600, keep_bytes=10_000_000)
        store.open()
        store.add(result(number), b"")
        store.close()
    store.open()
    assert numbers(store, Filter()) == [2, 1]
    store.close()
