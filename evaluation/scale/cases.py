"""Fleets side by side under one load, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from evaluation.scale.fewest import fewest, least
from evaluation.scale.fleet import Fleet
from evaluation.scale.load import Load
from evaluation.scale.outcome import Outcome
from evaluation.scale.service_times import ServiceTimes
from evaluation.scale.simulation import simulate
from evaluation.tables.text import TextTable


@dataclass(frozen=True, slots=True)
class Case:
    """A fleet, and what became of the load there."""

    fleet: Fleet
    outcome: Outcome

    def as_json(self) -> Mapping[str, Any]:
        """All numbers as JSON types, with the shares and rates that follow from them."""
        names = ("answered_per_s", "refused_share", "late_share", "missed_share", "loads_per_minute")
        rates = {name: getattr(self.outcome, name) for name in names}
        return {"fleet": asdict(self.fleet), "outcome": {**asdict(self.outcome), **rates}}


@dataclass(frozen=True, slots=True)
class Trial:
    """What all cases share: load, times of a part, and what `simulate` takes."""

    load: Load
    times: ServiceTimes
    seconds: float
    takt_s: float
    seed: int

    def case(self, fleet: Fleet) -> Case:
        """One fleet under the load. Raises BadFleet."""
        outcome = simulate(
            self.load, fleet, self.times, seconds=self.seconds, takt_s=self.takt_s, seed=self.seed
        )
        return Case(fleet, outcome)

    def fewest(self, fleet: Fleet) -> list[Case]:
        """The fleet with the fewest devices that answer in time, and before it the one with a device fewer.

        fleet: its number of devices is the least that may be tried. Raises BadFleet, TooFewDevices.
        """
        tried: dict[int, Case] = {}

        def simulated(devices: int) -> Outcome:
            if devices not in tried:
                tried[devices] = self.case(replace(fleet, devices=devices))
            return tried[devices].outcome

        enough = fewest(least(self.load, fleet, self.times), simulated)
        if enough > fleet.devices:
            simulated(enough - 1)
        return [tried[devices] for devices in (enough - 1, enough) if devices in tried]


def table(trial: Trial, cases: Sequence[Case]) -> TextTable:
    """One column a case."""
    load = trial.load
    title = (
        f"{load.lines:,} {_many('line', load.lines)}, {load.products:,} {_many('product', load.products)}, "
        f"{load.parts_per_s:,.3g} parts a second"
    )
    trays = f"trays of {load.tray}" if load.tray > 1 else "single parts"
    note = (
        f"Each line sends {load.parts_per_minute:g} parts a minute as {trays}, at {_PACES[load.pace]}. A "
        f"device takes {1000 * trial.times.mean_s:.0f} ms for a part on average. A part is late after "
        f"{trial.takt_s:g} s. Simulated: {trial.seconds / 60:g} minutes, seed {trial.seed}."
    )
    rows = [[name, *(read(case.fleet, case.outcome) for case in cases)] for name, read in _ROWS.items()]
    return TextTable(title, ["devices", *(f"{case.fleet.devices:,}" for case in cases)], rows, [note])


_PACES = {"even": "equal intervals", "random": "random moments"}
_ROWS: Mapping[str, Callable[[Fleet, Outcome], str]] = {
    "devices that hold a product": lambda fleet, _: str(fleet.copies),
    "devices that die": lambda fleet, _: str(fleet.dead),
    "time in which devices score": lambda _, outcome: _percent(outcome.utilisation),
    "parts answered a second": lambda _, outcome: f"{outcome.answered_per_s:,.2f}",
    "parts refused": lambda _, outcome: _percent(outcome.refused_share),
    "parts late": lambda _, outcome: _percent(outcome.late_share),
    "wait of a part, p50": lambda _, outcome: f"{outcome.waiting_s.p50:.2f} s",
    "wait, p90": lambda _, outcome: f"{outcome.waiting_s.p90:.2f} s",
    "wait, p99": lambda _, outcome: f"{outcome.waiting_s.p99:.2f} s",
    "wait, longest": lambda _, outcome: f"{outcome.waiting_s.longest:.2f} s",
    "wait and scoring, p99": lambda _, outcome: f"{outcome.answer_s.p99:.2f} s",
    "loads a minute": lambda _, outcome: f"{outcome.loads_per_minute:,.1f}",
    "banks on a device, at most": lambda _, outcome: f"{outcome.most_mb / 1000:,.1f} GB",
    "banks on all devices": lambda _, outcome: f"{outcome.all_mb / 1000:,.1f} GB",
    "parts in work, at most": lambda _, outcome: f"{outcome.parts_mb:,.0f} MB",
}


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _many(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
