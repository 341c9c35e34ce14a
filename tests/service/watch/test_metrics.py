"""/metrics of a real server: what is counted, what never becomes a series, and who may read it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from banks.decision.drift import LEAST
from models.sample import Sample
from service.engine.owner import Scored
from service.http.keys import Keys
from service.settings import Settings
from service.watch.metrics import MOST_VALUES, OTHER, Metrics
from tests.waiting import until

SCORE = "/v1/products/cookie/score"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def _scrape(client: httpx.Client) -> Series:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def _value(series: Series, name: str, **labels: str) -> float:
    return series[f"tribank_{name}", frozenset(labels.items())]


def test_what_a_line_did_can_be_read(
    serve: Callable[..., Any],
    make_loader: Any,
    make_detector: Any,
    part: dict[str, bytes],
    bad_part: dict[str, bytes],
    tmp_path: Path,
) -> None:
    active, shadow = make_detector("cookie", "v1"), make_detector("cookie", "v2")
    loader = make_loader(active, shadow)
    loader.shadows["cookie"] = "v2"
    agreed = "tribank_shadow_parts_total", frozenset({"product": "cookie", "agrees": "true"}.items())
    settings = Settings(banks=tmp_path, takts="cookie:0.000001,tile:9", metric_labels="station lot")
    with serve(settings, loader) as running, running.client() as client:
        for number in range(3):
            labels = {"labels": f"station:{number // 2},shift:night"}
            assert client.post(SCORE, files=part, params=labels).json()["decision"] == "good"
        assert client.post(SCORE, files=bad_part).json()["decision"] == "defective"
        moved = client.post(SCORE, files=bad_part, params={"threshold": 5.0})
        assert moved.json()["decision"] == "good"
        assert client.post(SCORE, files={**part, "xyz": b"nothing"}).status_code == 415
        until(lambda: _scrape(client).get(agreed) == 5, "five parts of the shadow")
        series = _scrape(client)
    good, defective = (
        _value(series, "parts_total", product="cookie", decision=decision)
        for decision in ("good", "defective")
    )
    assert (good, defective) == (3, 2)  # by the service's threshold, whatever a request brought
    route = "/v1/products/{product}/score"
    assert _value(series, "requests_total", method="POST", route=route, status="200") == 5
    assert _value(series, "requests_total", method="POST", route=route, status="415") == 1
    assert _value(series, "part_refusals_total", product="cookie", code="unsupported_type") == 1
    for stage in ("receive", "decode", "queue", "search", "encode"):
        assert _value(series, "stage_seconds_count", stage=stage) == 5
    assert _value(series, "part_seconds_count", product="cookie") == 5
    assert _value(series, "late_parts_total", product="cookie") == 5
    assert (
        _value(series, "takt_seconds", product="tile"),
        _value(series, "late_parts_total", product="tile"),
    ) == (9, 0)
    stations = {
        labels: value for (name, labels), value in series.items() if name == "tribank_label_parts_total"
    }
    told = {"product": "cookie", "label": "station", "decision": "good"}
    assert stations == {
        frozenset((told | {"value": value}).items()): count for value, count in (("0", 2), ("1", 1))
    }
    assert _value(series, "jobs_total", kind="build", state="failed") == 0
    # A plain part scores 0.42; the held-out median is 0.4, the threshold 0.8.
    assert _value(series, "part_score_bucket", product="cookie", le="0.0") == 0
    assert _value(series, "part_score_bucket", product="cookie", le="0.25") == 3
    assert _value(series, "part_score_bucket", product="cookie", le="1.0") == 3
    assert _value(series, "part_score_bucket", product="cookie", le="1.5") == 5
    assert _value(series, "valid_point_share_sum", product="cookie") == 5
    assert not [name for name, _ in series if name.startswith("tribank_score_drift")]  # too few parts
    assert _value(series, "threshold", product="cookie") == 1
    assert _value(series, "calibration_parts", product="cookie") == 3
    assert _value(series, "bank_created_timestamp_seconds", product="cookie", bank_version="v1") > 1.7e9
    assert _value(series, "resident_bytes", product="cookie") == 2
    assert _value(series, "ready") == 1
    assert _value(series, "queue_parts") == 0
    assert _value(series, "gate_inside", gate="parts") == 0
    assert _value(series, "jobs_unfinished") == 0
    assert _value(series, "disk_free_bytes", folder="state") > 0
    assert series["process_resident_memory_bytes", frozenset()] > 1e6


def test_drift_is_told_once_there_are_enough_parts_and_begins_anew_with_a_version(
    make_detector: Any, sample: Sample
) -> None:
    metrics, detector = Metrics(), make_detector()
    (result,) = detector.score([sample])
    for count in range(LEAST):
        assert metrics.drift(detector) is None, count
        metrics.scored(sample, Scored(result, detector, 0.0), {}, {})
    drift = metrics.drift(detector)
    assert drift is not None
    assert drift.parts == LEAST
    assert drift.distance == pytest.approx(2 / 3)  # all at 0.42; held out: 0.2, 0.4, 0.6
    second = make_detector("cookie", "v2")
    assert metrics.drift(second) is None
    metrics.scored(sample, Scored(result, second, 0.0), {}, {})
    assert metrics.drift(second) is metrics.drift(detector) is None


def test_nothing_that_a_client_makes_up_becomes_a_series(
    serve: Callable[..., Any], loader: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    with serve(Settings(banks=tmp_path), loader) as running, running.client() as client:
        for number in range(3):
            client.post(f"/v1/products/made-up-{number}/score", files=part)
            client.get(f"/made-up-{number}")
            client.patch(SCORE)
            client.get(f"/v1/jobs/made-up-{number}")
        text = client.get("/metrics").text
        series = _scrape(client)
    assert "made-up" not in text
    assert _value(series, "requests_total", method="GET", route="none", status="404") == 3
    route = "/v1/products/{product}/score"
    assert _value(series, "requests_total", method="other", route=route, status="405") == 3
    assert _value(series, "refusals_total", code="unknown_product") == 3


def test_refusals_for_load_are_counted(
    serve: Callable[..., Any], loader: Any, detector: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    go, at_work = threading.Event(), threading.Event()

    def wait() -> None:
        at_work.set()
        go.wait(20)

    with serve(Settings(banks=tmp_path, max_in_flight=1), loader) as running, running.client() as client:
        detector.before = wait
        first = threading.Thread(
            target=lambda: httpx.post(f"{running.url}{SCORE}", files=part, trust_env=False)
        )
        first.start()
        try:
            assert at_work.wait(20)
            assert client.post(SCORE, files=part).status_code == 429
            series = _scrape(client)
        finally:
            go.set()
            first.join()
        assert _value(series, "refusals_total", code="overloaded") == 1
        assert _value(series, "gate_inside", gate="parts") == 1


def test_metrics_ask_for_a_key_as_everything_does_unless_told(
    serve: Callable[..., Any], loader: Any, tmp_path: Path
) -> None:
    secret = Keys(tmp_path).add("prometheus", "score")
    settings = Settings(banks=tmp_path / "banks", host="0.0.0.0")
    with serve(settings, loader, state=tmp_path) as running, running.client() as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    told = settings.model_copy(update={"open_metrics": True})
    with serve(told, loader, state=tmp_path) as running, running.client() as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/v1/products").status_code == 401


def test_a_label_has_a_bounded_number_of_values(sample: Sample, make_detector: Any) -> None:
    metrics, detector = Metrics(labels=["lot"]), make_detector()
    (result,) = detector.score([sample])
    for number in range(MOST_VALUES + 10):
        metrics.scored(sample, Scored(result, detector, 0.0), {}, {"lot": f"A-{number}"})
    metrics.scored(sample, Scored(result, detector, 0.0), {}, {"lot": "A-0", "shift": "night"})
    counted = {
        found.labels["value"]: found.value
        for family in metrics.registry.collect()
        for found in family.samples
        if found.name == "tribank_label_parts_total"
    }
    assert len(counted) == MOST_VALUES + 1
    assert (counted[OTHER], counted["A-0"]) == (10, 2)
