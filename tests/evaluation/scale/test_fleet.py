from __future__ import annotations

import pytest

from evaluation.scale.fleet import BadFleet, Fleet


@pytest.mark.parametrize(
    "wrong",
    [
        {"devices": 0},
        {"at_once": 0},
        {"places": 0},
        {"memory_mb": 0.0},
        {"memory_mb": float("nan")},
        {"load_s": -1.0},
        {"copies": 0},
        {"copies": 3},
        {"dead": -1},
        {"dead": 3},
        {"dead_at_s": -1.0},
        {"restart_s": -1.0},
    ],
    ids=str,
)
def test_a_fleet_that_cannot_be_names_its_number(wrong) -> None:
    with pytest.raises(BadFleet, match=next(iter(wrong))):
        Fleet(**{"devices": 2, **wrong})
