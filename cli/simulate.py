"""`tribank simulate`: what many lines need, by a simulation with times of parts that were measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from cli.options import Json
from cli.tables import insert

if TYPE_CHECKING:
    from evaluation.scale.cases import Case
    from evaluation.scale.service_times import Measured, Spread


def marks(name: str) -> tuple[str, str]:
    """The lines in a Markdown file between which the table of this name stands."""
    return f"<!-- simulate {name}: begin -->", f"<!-- simulate {name}: end -->"


def simulate(
    lines: Annotated[int, typer.Option(min=1, help="Lines, each of which makes one product at a time.")] = 10,
    products: Annotated[int, typer.Option(min=1, help="Products, dealt out to the lines.")] = 200,
    parts_per_minute: Annotated[float, typer.Option(help="Parts a minute of one line.")] = 10.0,
    tray: Annotated[int, typer.Option(min=1, help="Parts of a line that arrive at once.")] = 1,
    pace: Annotated[
        Literal["even", "random"], typer.Option(help="Trays come at equal intervals, or at random.")
    ] = "even",
    run_minutes: Annotated[
        float, typer.Option(help="A line makes a product for so long. 0: each tray is a random product.")
    ] = 60.0,
    product_mb: Annotated[
        float, typer.Option(help="Memory of a product's banks, MB. 'tribank plan' says it.")
    ] = 50.0,
    product_spread_mb: Annotated[float, typer.Option(help="Standard deviation of that.")] = 0.0,
    part_mb: Annotated[float, typer.Option(help="Memory of a decoded part, MB.")] = 2.5,
    times: Annotated[
        list[Path] | None,
        typer.Option(help="Measured times of parts: a file of 'tribank bench --json'. Repeatable."),
    ] = None,
    mean_ms: Annotated[float | None, typer.Option(help="Or the mean time of a part on a device.")] = None,
    spread_ms: Annotated[float, typer.Option(help="Standard deviation of that.")] = 0.0,
    devices: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Devices. Repeatable. [default: the fewest that answer within the takt]"),
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, help="Parts that a device scores side by side.")] = 1,
    places: Annotated[
        int, typer.Option(min=1, help="Parts of a device at most, waiting or scored. Others are refused.")
    ] = 16,
    memory_mb: Annotated[float, typer.Option(help="Memory of a device for banks, MB.")] = 4096.0,
    load_s: Annotated[float, typer.Option(help="Seconds until a product is loaded.")] = 1.0,
    copies: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Devices that hold a product. Repeatable. [default: 1]"),
    ] = None,
    dead: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Devices that die at once. Repeatable. [default: 0]"),
    ] = None,
    dead_at_s: Annotated[float, typer.Option(help="When they die.")] = 60.0,
    restart_s: Annotated[float, typer.Option(help="Seconds until a dead device scores again.")] = 10.0,
    takt_s: Annotated[
        float | None,
        typer.Option(help="A part is late after so long. [default: until the line's next tray]"),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="Simulated time.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 0,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the table into this Markdown file; its text is kept.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the table in the Markdown file.")] = "table",
    as_json: Json = False,
) -> None:
    """Simulate many lines and devices. Without --devices, find the fewest devices that answer in time.

    In time means that at least 99 % of the parts are answered within the takt. The table then also has one
    device fewer. Options that are repeatable give one row for each of their values.
    """
    from evaluation.scale.cases import Trial, table
    from evaluation.scale.fleet import Fleet
    from evaluation.scale.load import Load

    load = Load(
        lines, products, parts_per_minute, tray, pace, run_minutes, product_mb, product_spread_mb, part_mb
    )
    takt = load.tray_s if takt_s is None else takt_s
    trial = Trial(load, _times(times, mean_ms, spread_ms), 60 * minutes, takt, seed)
    cases: list[Case] = []
    for count, held, died in product(devices or [None], copies or [1], dead or [0]):
        number = count or max(1, held, died)
        fleet = Fleet(number, at_once, places, memory_mb, load_s, held, died, dead_at_s, restart_s)
        cases += [trial.case(fleet)] if count else trial.fewest(fleet)
    if as_json:
        told = {"load": asdict(load), "times": asdict(trial.times), "takt_s": takt, "seed": seed}
        typer.echo(json.dumps({**told, "cases": [case.as_json() for case in cases]}, indent=1))
        return
    shown = table(trial, cases)
    Console().print(shown.rich())
    for note in shown.notes:
        typer.echo(note)
    if markdown is not None:
        insert(markdown, shown.markdown(), marks(name))


def _times(measured: Sequence[Path] | None, mean_ms: float | None, spread_ms: float) -> Measured | Spread:
    """The times that the options say. Raises BadParameter, BadTimes, OSError."""
    from evaluation.scale.service_times import Measured, Spread

    if bool(measured) == (mean_ms is not None):
        raise typer.BadParameter("give either --times or --mean-ms.", param_hint="--times")
    return Measured.read(*measured) if measured else Spread((mean_ms or 0.0) / 1000, spread_ms / 1000)
