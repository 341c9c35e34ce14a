from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from banks.detector import Detector
from banks.versions.store import BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold
from models.sample import make_sample
from models.weights.folder import DEFAULT_WEIGHTS
from service.cluster.scorer import Scorer, ScorerSettings, refusal_of
from service.cluster.wire import calibration_json, pack_sample, unpack_result
from service.watch.logs import make_logger
from tests.service.cluster.kept import PRODUCT, kept_banks, kept_sample


@pytest.fixture
def banks(tmp_path: Path) -> Path:
    return kept_banks(tmp_path / "banks", versions=3)


def _scorer(banks: Path, memory_mb: int | None = None) -> Scorer:
    given = ScorerSettings(banks, DEFAULT_WEIGHTS, at_once=1, memory_mb=memory_mb)
    assert ScorerSettings.of(given.plain()) == given
    return Scorer(given, make_logger(io.StringIO()))


@pytest.fixture
def scorer(banks: Path) -> Iterator[Scorer]:
    scorer = _scorer(banks)
    yield scorer
    scorer.close()


def _asks(detector: Detector, version: str = "v1") -> dict[str, str]:
    return {
        "product": PRODUCT,
        "version": version,
        "calibration": calibration_json(detector.calibration),
    }


def test_a_part_is_scored_by_the_version_that_is_named(scorer: Scorer, banks: Path) -> None:
    detector = Detector.load(banks / PRODUCT / "v1")
    (expected,) = detector.score([kept_sample()])
    assert not isinstance(expected, Exception)
    part = pack_sample(kept_sample())
    for version in ("v1", "v2"):  # though v1 is active, and v2 was not loaded before
        reply = asyncio.run(scorer.score(_asks(detector, version), part, 100.0))
        result = unpack_result(reply["result"])
        assert result.score == expected.score
        assert np.array_equal(result.map, expected.map)
    facts = scorer.facts()
    assert facts["versions"] == ["biscuit/v1", "biscuit/v2"]
    assert facts["memory_bytes"] > 0
    assert scorer.alive()


def test_refusals_are_told_in_plain_types(scorer: Scorer, banks: Path) -> None:
    detector = Detector.load(banks / PRODUCT / "v1")
    empty = make_sample(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.float32))
    good = pack_sample(kept_sample())
    told = [
        asyncio.run(scorer.score(_asks(detector), pack_sample(empty), 100.0)),
        asyncio.run(scorer.score(_asks(detector, "v9"), good, 100.0)),
        asyncio.run(scorer.score(_asks(detector), good, -1.0)),
    ]
    refusals = [refusal_of(reply["refusal"]) for reply in told]
    assert [(one.status, one.code) for one in refusals] == [
        (422, "no_foreground"),
        (404, "unknown_product"),
        (504, "deadline_passed"),
    ]
    damaged = banks / PRODUCT / "v3" / "rgb.faiss"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    loaded = asyncio.run(scorer.load(PRODUCT, "v3"))
    refusal = refusal_of(loaded["refusal"])
    assert (refusal.status, refusal.code, refusal.headers) == (503, "bank_failed", {"Retry-After": "2"})
    assert "rgb.faiss" in refusal.detail
    assert loaded["damaged"]
    assert asyncio.run(scorer.load(PRODUCT, "v3")) == loaded, "whoever asks again learns the reason, too"
    absent = asyncio.run(scorer.load(PRODUCT, "v9"))
    assert (absent["refusal"]["code"], absent["damaged"]) == ("unknown_product", False)
    assert asyncio.run(scorer.load(PRODUCT, "v1")) == {}


def test_a_threshold_that_a_front_knows_is_looked_up(scorer: Scorer, banks: Path) -> None:
    detector = Detector.load(banks / PRODUCT / "v1")
    part = pack_sample(kept_sample())
    before = unpack_result(asyncio.run(scorer.score(_asks(detector), part, 100.0))["result"])
    move_threshold(BankStore(banks), PRODUCT, "v1", MovedThreshold.model_validate({"threshold": 123.0}))
    moved = Detector.load(banks / PRODUCT / "v1")
    after = unpack_result(asyncio.run(scorer.score(_asks(moved), part, 100.0))["result"])
    assert before.threshold != 123.0
    assert (after.threshold, after.threshold_source) == (123.0, "set")


def test_what_was_used_longest_ago_goes_where_memory_ends(banks: Path) -> None:
    free = _scorer(banks)
    asyncio.run(free.load(PRODUCT, "v1"))
    one = free.facts()["memory_bytes"]
    asyncio.run(free.load(PRODUCT, "v2"))
    more = free.facts()["memory_bytes"] - one
    free.close()
    bound = -(-(one + more) // (1 << 20))
    scorer = _scorer(banks, memory_mb=bound)
    try:
        for version in ("v1", "v2", "v3", "v1"):
            assert asyncio.run(scorer.load(PRODUCT, version)) == {}
            assert scorer.facts()["memory_bytes"] <= bound << 20
        assert "biscuit/v1" in scorer.facts()["versions"]
    finally:
        scorer.close()
