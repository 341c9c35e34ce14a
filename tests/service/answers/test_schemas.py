from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from service.answers.schemas import EvidenceAnswer, RegionAnswer

FACTS = {"area": 6.0, "peak": 2.5, "centroid": [3.0, 4.0], "peak_pixel": [3, 4]}
OLD: dict[str, Any] = FACTS | {
    "box": [1.0, 2.0, 3.0, 5.0],
    "centroid_m": [0.1, 0.2, 0.3],
    "box_m": [[0.0, 0.1, 0.2], [0.3, 0.4, 0.5]],
    "extent_m": None,
}


def test_the_lists_of_an_old_record_are_read_as_named_numbers() -> None:
    told = RegionAnswer.model_validate(OLD).model_dump()
    assert told["box"] == {"left": 1.0, "top": 2.0, "right": 3.0, "bottom": 5.0}
    assert told["peak_pixel"] == {"x": 3, "y": 4}
    assert told["box_m"]["highest"] == {"x": 0.3, "y": 0.4, "z": 0.5}
    assert told["extent_m"] is None
    assert RegionAnswer.model_validate(told).model_dump() == told
    evidence = {"pixel": [1.5, 2.5], "distance": 1.0, "training_part": None, "place": None}
    assert EvidenceAnswer.model_validate(evidence).pixel.y == 2.5


def test_a_list_with_too_few_numbers_is_refused() -> None:
    with pytest.raises(ValidationError):
        RegionAnswer.model_validate(OLD | {"box": [1.0, 2.0, 3.0]})
