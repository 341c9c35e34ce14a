from __future__ import annotations

import numpy as np

from banks.methods.evidence import Evidence, evidence
from banks.methods.method import Finding, Provenance
from models.layout import GridLayout
from models.preparation.prepare import Frame

FRAME = Frame(height=40, width=80, top=20, left=0, side=80, size=8)


def scored(farthest: int, row: int) -> Finding:
    distances = np.zeros(16, np.float32)
    distances[farthest] = 2.5
    return Finding(distances, GridLayout(4), 1.0, np.full(16, row))


def origin(*rows: tuple[int, int, int]) -> Provenance:
    return Provenance(*np.array(rows, np.int32).T)


def test_evidence_names_the_farthest_patch_and_the_nearest_good_one() -> None:
    rows = origin((0, 3, 15), (1, 8, 41))
    found = evidence({"rgb": scored(6, 1)}, {"rgb": rows}, ("a", "b"), FRAME, None)
    assert found == {"rgb": Evidence((55.0, 15.0), 2.5, "b", (1.5 / 8, 5.5 / 8))}


def test_a_patch_in_the_padding_lies_at_the_edge() -> None:
    found = evidence({"rgb": scored(15, 0)}, {"rgb": origin((0, 0, 0))}, ("a",), FRAME, None)
    assert found["rgb"].pixel == (75.0, 40.0)


def test_the_zero_row_is_of_no_part() -> None:
    rows = origin((-1, -1, -1))
    found = evidence({"point": scored(0, 0)}, {"point": rows}, ("a",), FRAME, None)["point"]
    assert (found.training_part, found.place) == (None, None)


def test_a_method_without_rows_has_no_evidence() -> None:
    finding = Finding(np.ones(16, np.float32), GridLayout(4), 1.0)
    assert evidence({"rgb": finding}, {}, (), FRAME, None) == {}


def test_evidence_is_of_the_place_that_decided() -> None:
    rows = origin((0, 3, 15), (1, 8, 41))
    found = evidence({"rgb": scored(6, 1)}, {"rgb": rows}, ("a", "b"), FRAME, (0.4, 0.6))["rgb"]
    assert (found.pixel, found.distance) == ((35.0, 35.0), 0.0)
