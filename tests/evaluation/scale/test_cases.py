from __future__ import annotations

import json

from evaluation.scale.cases import Trial, table
from evaluation.scale.fewest import MISSED
from evaluation.scale.fleet import Fleet
from evaluation.scale.load import Load
from evaluation.scale.service_times import Spread

TRIAL = Trial(Load(lines=6, products=12, parts_per_minute=20.0), Spread(0.4, 0.1), 600.0, 1.0, seed=0)


def test_the_fewest_devices_stand_beside_one_fewer() -> None:
    fewer, enough = TRIAL.fewest(Fleet(1))
    assert enough.fleet.devices == fewer.fleet.devices + 1
    assert enough.outcome.missed_share <= MISSED < fewer.outcome.missed_share


def test_nothing_stands_beside_as_few_devices_as_are_asked_for() -> None:
    (only,) = TRIAL.fewest(Fleet(9))
    assert only.fleet.devices == 9


def test_each_case_has_a_column_and_each_row_a_name() -> None:
    cases = [TRIAL.case(fleet) for fleet in (Fleet(2), Fleet(2, copies=2), Fleet(3, dead=1))]
    shown = table(TRIAL, cases)
    assert shown.head == ["devices", "2", "2", "3"]
    rows = {name: values for name, *values in shown.rows}
    assert rows["devices that hold a product"] == ["1", "2", "1"]
    assert rows["devices that die"] == ["0", "0", "1"]
    assert rows["parts answered a second"][0] == f"{cases[0].outcome.answered_per_s:.2f}"
    assert rows["banks on all devices"][:2] == ["0.6 GB", "1.2 GB"]
    assert all(len(values) == 3 for values in rows.values())


def test_json_has_all_numbers() -> None:
    case = TRIAL.case(Fleet(2))
    told = json.loads(json.dumps(case.as_json()))
    assert told["fleet"]["devices"] == 2
    assert told["outcome"]["arrived"] == case.outcome.arrived
    assert told["outcome"]["missed_share"] == case.outcome.missed_share
    assert told["outcome"]["waiting_s"]["p99"] == case.outcome.waiting_s.p99
