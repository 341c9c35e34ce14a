"""How often a key may ask: exactly its rate over time, never more than the burst at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.http.keys import Keys
from service.http.rates import BURST_S, Rates
from service.settings import Settings


@given(rate=st.floats(0.1, 50), pauses=st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_never_more_than_rate_and_burst(rate: float, pauses: list[float]) -> None:
    now = 0.0
    rates = Rates(lambda: now)
    taken = 0
    for pause in pauses:
        now += pause
        taken += rates.spend("line", rate) is None
        assert taken <= max(1.0, rate * BURST_S) + rate * now + 1e-6


@given(rate=st.floats(0.1, 50))
def test_a_client_that_waits_as_long_as_the_refusal_says_is_let_in(rate: float) -> None:
    now = 0.0
    rates = Rates(lambda: now)
    most = int(rate * BURST_S) + 2
    refusal = next(
        refusal for refusal in (rates.spend("line", rate) for _ in range(most)) if refusal is not None
    )
    assert (refusal.status, refusal.code) == (429, "rate_exceeded")
    assert rates.spend("other", rate) is None
    now += int(refusal.headers["Retry-After"])
    assert rates.spend("line", rate) is None


def test_a_key_with_a_rate_at_a_real_server(
    serve: Callable[..., Any], loader: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    slow, fast = ({"X-API-Key": keys.add(name, "score", rate)} for name, rate in (("s", 0.01), ("f", None)))
    settings = Settings(banks=tmp_path / "banks", host="0.0.0.0")
    url = "/v1/products/cookie/score"
    with serve(settings, loader, state=tmp_path) as running, running.client() as client:
        answers = [client.post(url, files=part, headers=slow) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]
        assert answers[1].json()["code"] == "rate_exceeded"
        assert 1 <= int(answers[1].headers["retry-after"]) <= 100
        assert client.post(url, files=part, headers=fast).status_code == 200
        assert {client.get("/v1/results", headers=slow).status_code for _ in range(9)} == {200}
