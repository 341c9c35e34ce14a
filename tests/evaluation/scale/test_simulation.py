"""The simulation beside closed forms, and what must hold whatever the load."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.scale.fleet import BadFleet, Fleet
from evaluation.scale.load import Load
from evaluation.scale.outcome import Outcome
from evaluation.scale.service_times import Measured, ServiceTimes, Spread
from evaluation.scale.simulation import simulate
from tests.evaluation.scale.queue_theory import one_server_wait, refused_share, servers_wait, waits_share

ENDLESS = 10**9
PARTS = 60_000


@cache
def _alone(
    load: float, times: ServiceTimes, *, servers: int = 1, tray: int = 1, places: int = ENDLESS
) -> Outcome:
    """One device under trays that come at random. load: arrivals a second; times have a mean of 1 s."""
    line = Load(1, 1, 60 * load, tray, "random")
    fleet = Fleet(1, at_once=servers, places=places)
    return simulate(line, fleet, times, seconds=PARTS / load)


EXPONENTIAL, EQUAL = Spread(1.0, 1.0), Spread(1.0, 0.0)


@pytest.mark.parametrize(
    ("times", "variance"),
    [(EXPONENTIAL, 1.0), (EQUAL, 0.0), (Spread(1.0, 0.5), 0.25), (Measured((0.5, 0.5, 0.5, 2.5)), 0.75)],
    ids=["M/M/1", "M/D/1", "M/G/1", "measured"],
)
def test_one_server_waits_as_theory_says(times: ServiceTimes, variance: float) -> None:
    outcome = _alone(0.6, times)
    assert outcome.waiting_s.mean == pytest.approx(one_server_wait(0.6, variance), rel=0.04)
    assert outcome.answer_s.mean == pytest.approx(outcome.waiting_s.mean + 1, rel=0.02)
    assert outcome.utilisation == pytest.approx(0.6, rel=0.02)


def test_the_longest_waits_are_as_rare_as_theory_says() -> None:
    waiting = _alone(0.6, EXPONENTIAL).waiting_s
    for found, share in ((waiting.p90, 0.9), (waiting.p99, 0.99)):
        assert found == pytest.approx(math.log(0.6 / (1 - share)) / 0.4, rel=0.05)


@pytest.mark.parametrize(("load", "servers"), [(1.4, 2), (3.0, 4)])
def test_servers_with_one_queue_wait_as_theory_says(load: float, servers: int) -> None:
    outcome = _alone(load, EXPONENTIAL, servers=servers)
    assert outcome.waiting_s.mean == pytest.approx(servers_wait(load, servers), rel=0.05)
    p90 = math.log(10 * waits_share(load, servers)) / (servers - load)
    assert outcome.waiting_s.p90 == pytest.approx(p90, rel=0.05)


def test_a_tray_waits_for_its_own_parts() -> None:
    outcome = _alone(0.6, EQUAL, tray=4)
    assert outcome.waiting_s.mean == pytest.approx(one_server_wait(0.6, 0.0, tray=4), rel=0.03)


@pytest.mark.parametrize("places", [1, 3])
def test_full_places_refuse_as_many_parts_as_theory_says(places: int) -> None:
    assert _alone(0.8, EXPONENTIAL, places=places).refused_share == pytest.approx(
        refused_share(0.8, places), rel=0.03
    )


def test_even_arrivals_never_wait_for_equal_parts() -> None:
    outcome = simulate(Load(1, 1, 54.0), Fleet(1), EQUAL, seconds=3600)
    assert outcome.waiting_s.p99 == 0.0
    assert outcome.utilisation == pytest.approx(0.9, abs=0.01)


def test_the_device_with_the_fewest_parts_is_better_than_chance_and_worse_than_one_queue() -> None:
    line = Load(1, 1, 60 * 2.8, pace="random")
    fleet = Fleet(4, places=ENDLESS, copies=4)
    found = simulate(line, fleet, EXPONENTIAL, seconds=PARTS / 2.8).waiting_s.mean
    assert servers_wait(2.8, 4) < found < one_server_wait(0.7, 1.0)


loads = st.builds(
    Load,
    lines=st.integers(1, 6),
    products=st.integers(1, 12),
    parts_per_minute=st.floats(1.0, 120.0),
    tray=st.integers(1, 6),
    pace=st.sampled_from(("even", "random")),
    run_minutes=st.sampled_from((0.0, 0.5, 5.0)),
    product_mb=st.just(50.0),
    product_spread_mb=st.sampled_from((0.0, 10.0)),
)
fleets = st.integers(1, 5).flatmap(
    lambda devices: st.builds(
        Fleet,
        st.just(devices),
        at_once=st.integers(1, 3),
        places=st.integers(1, 12),
        memory_mb=st.sampled_from((120.0, 260.0, 2000.0)),
        load_s=st.floats(0.0, 5.0),
        copies=st.integers(1, devices),
        dead=st.integers(0, devices),
        dead_at_s=st.floats(0.0, 120.0),
        restart_s=st.floats(0.0, 60.0),
    )
)
times = st.builds(Spread, st.floats(0.05, 2.0), st.sampled_from((0.0, 0.1, 1.0)))


@settings(deadline=None)
@given(loads, fleets, times, st.integers(0, 3))
def test_no_part_is_lost_and_the_same_seed_gives_the_same_outcome(
    load: Load, fleet: Fleet, times: Spread, seed: int
) -> None:
    outcome = simulate(load, fleet, times, seconds=120.0, takt_s=2.0, seed=seed)
    assert outcome == simulate(load, fleet, times, seconds=120.0, takt_s=2.0, seed=seed)
    assert outcome.arrived == len(list(load.arrivals(120.0, seed)))
    assert outcome.arrived == outcome.answered + outcome.refused + outcome.in_work
    assert 0 <= outcome.utilisation <= 1 + 1e-9
    assert outcome.most_mb <= fleet.memory_mb + 1e-6
    assert outcome.in_work * load.part_mb <= outcome.parts_mb
    assert fleet.dead or outcome.moved == 0
    assert fleet.dead or outcome.parts_mb <= load.part_mb * fleet.devices * fleet.places


@settings(deadline=None)
@given(loads, fleets, times, st.integers(0, 3))
def test_every_part_is_answered_in_the_end_also_after_a_death(
    load: Load, fleet: Fleet, times: Spread, seed: int
) -> None:
    """A few parts come each 50 minutes. A part that were forgotten would be late."""
    few = replace(load, parts_per_minute=0.1, tray=5, run_minutes=0.0)
    roomy = replace(fleet, places=ENDLESS, dead_at_s=100.0 * fleet.dead_at_s)
    outcome = simulate(few, roomy, times, seconds=12_000.0, takt_s=1500.0, seed=seed)
    assert (outcome.refused, outcome.late) == (0, 0)
    assert outcome.answered + outcome.in_work == outcome.arrived


def test_a_death_costs_time_but_no_part_and_other_devices_take_over() -> None:
    load = Load(lines=8, products=8, parts_per_minute=15.0)
    fleet = Fleet(4, places=ENDLESS, load_s=1.0, dead_at_s=100.1, restart_s=20.0)

    def died(dead: int, copies: int = 1) -> Outcome:
        return simulate(load, replace(fleet, dead=dead, copies=copies), Spread(1.5), seconds=600.0)

    whole, one, one_of_copies, all_of_them = died(0), died(1), died(1, copies=4), died(4)
    assert [outcome.refused for outcome in (whole, one, one_of_copies, all_of_them)] == [0] * 4
    assert whole.loads == whole.moved == all_of_them.moved == 0
    assert one.loads > 0
    assert one.moved > 0
    assert whole.waiting_s.p99 <= one_of_copies.waiting_s.p99 < one.waiting_s.p99 < all_of_them.waiting_s.p99
    assert all_of_them.waiting_s.p99 > 10.0


def test_parts_that_are_in_work_at_the_end_count_as_late_once_they_are() -> None:
    overloaded = simulate(
        Load(1, 1, 60.0), Fleet(1, places=ENDLESS), Spread(10.0), seconds=100.0, takt_s=30.0
    )
    assert overloaded.in_work == overloaded.arrived - 9
    assert overloaded.late == pytest.approx(overloaded.arrived - 30 - 3, abs=1)
    assert overloaded.waiting_s.p99 > 80.0


def test_a_product_that_fits_no_device_is_refused_at_once() -> None:
    with pytest.raises(BadFleet):
        simulate(Load(product_mb=100.0), Fleet(1, memory_mb=99.0), EQUAL, seconds=1.0)


def test_memory_for_all_products_saves_every_load() -> None:
    load = Load(lines=5, products=50, run_minutes=2.0)
    short = simulate(load, Fleet(2, memory_mb=500.0), Spread(0.3), seconds=1200.0)
    enough = simulate(load, Fleet(2, memory_mb=1400.0), Spread(0.3), seconds=1200.0)
    assert enough.loads == 0
    assert enough.all_mb == 2500.0
    assert 20 <= short.loads <= 60
    assert short.waiting_s.p99 > enough.waiting_s.p99


def test_the_products_that_lines_make_first_are_loaded_at_the_start() -> None:
    """Two of 40 products have room, and two lines make one each for longer than the simulation."""
    load = Load(lines=2, products=40, run_minutes=10_000.0)
    assert simulate(load, Fleet(1, memory_mb=100.0), Spread(0.3), seconds=600.0).loads == 0


def test_what_the_lines_make_first_leaves_last_also_where_no_part_used_it_yet() -> None:
    """Second devices of a product get no part as long as the first one is idle. Only few products change."""
    load = Load(lines=40, products=200)
    made = {part.product for part in load.arrivals(600.0, 0)} - load.begins_with(0)
    outcome = simulate(load, Fleet(4, copies=2, memory_mb=2000.0), Spread(0.3), seconds=600.0)
    assert outcome.loads <= 2 * len(made) < 16
