"""`tribank bench-host`: every benchmark of this machine by one command, into one JSON file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cli.options import Device, Weights, chosen_device
from cli.steps import StepFailed, free_port, serving, tribank
from models.weights.folder import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from models.readers.product_folder import PartFile

_DEMO = "biscuit"
_ROOT = Path(__file__).parents[1]
_errors = Console(stderr=True)
_Step = tuple[str, Callable[[], Any]]
"""The name of a step, and what it does; the outcome goes into the report."""


def bench_host(
    data: Annotated[
        Path | None, typer.Argument(help="Product folder with test parts. [default: demo parts are rendered]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for parts, banks and the report.")] = Path(
        "out/bench-host"
    ),
    profile: Annotated[
        list[str] | None, typer.Option(help="Profile to measure. Repeatable. [default: embedded]")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Timed parts of one benchmark.")] = 40,
    clients: Annotated[int, typer.Option(min=1, help="Clients of the server.")] = 8,
    seconds: Annotated[float, typer.Option(min=1, help="Duration of the load on the server.")] = 20.0,
    tests: Annotated[bool, typer.Option(help="On a GPU, also run the tests that need one.")] = True,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Measure this machine: one part, one part beside other work, a build, a server under load.

    The report is OUT/report.json. It is written after each step, so that an interrupted run leaves what was
    measured. A step that fails is in the report with its message; the next steps run.
    """
    from evaluation.bench.environment import environment
    from models.atomic_file import write_atomically

    chosen = chosen_device(device)
    out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"environment": environment(chosen), "steps": {}}
    for name, work in _steps(
        out, data, profile or ["embedded"], repeats, clients, seconds, weights_dir, chosen, tests
    ):
        _errors.print(name, markup=False, highlight=False)
        start = time.monotonic()
        try:
            step = {"failed": None, "outcome": work()}
        except StepFailed as error:
            _errors.print(str(error), markup=False, style="red")
            step = {"failed": str(error), "outcome": None}
        report["steps"][name] = {"seconds": round(time.monotonic() - start, 1), **step}
        write_atomically(out / "report.json", json.dumps(report, indent=1))
    typer.echo(out / "report.json")
    if any(step["failed"] for step in report["steps"].values()):
        raise typer.Exit(1)


def _steps(
    out: Path,
    data: Path | None,
    profiles: list[str],
    repeats: int,
    clients: int,
    seconds: float,
    weights: Path,
    device: str,
    tests: bool,
) -> Iterator[_Step]:
    """The steps in their order. The arguments are those of `bench_host`."""
    parts = data or out / "parts" / _DEMO
    if data is None:
        yield "demo parts", lambda: _said("demo-parts", parts.parent, "--product", _DEMO, "--test", 10)
    where = ("--weights-dir", weights, "--device", device)
    load = ("--seconds", seconds, "--clients", clients)
    for profile in profiles:
        yield from _of_profile(profile, parts, out, repeats, load, where)
    yield "coreset", lambda: _told("bench-build", "--parts", _trained(parts), "--device", device, "--json")
    if tests and device != "cpu":
        pytest = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", str(_ROOT / "tests")]
        yield "tests on the GPU", lambda: _run(pytest).splitlines()[-1:]


def _of_profile(
    profile: str,
    parts: Path,
    out: Path,
    repeats: int,
    load: tuple[object, ...],
    where: tuple[object, ...],
) -> Iterator[_Step]:
    """The steps of one profile.

    parts: the product's folder. load: options of the load on the server. where: options of every command that
    says where networks are and what computes.
    """
    product, banks = parts.absolute().name, out / "banks" / profile
    bench = ("bench", product, parts, "--banks", banks, "--repeats", repeats, "--json", *where)

    def served() -> Any:
        if not (banks / product / "current").exists():
            raise StepFailed("There is no bank to serve: its build failed.")
        places = {"TRIBANK_MAX_IN_FLIGHT": str(load[-1])}
        options = [str(option) for option in where]
        with serving(banks, out / "state", free_port(), *options, settings=places) as url:
            part = _good_part(parts)
            return _told("bench-serve", product, part.files["rgb"], part.files["xyz"], *load, "--url", url)

    build = ("build", product, parts, "--banks", banks, "--profile", profile, *where)
    yield f"{profile}: build", lambda: _said(*build)
    yield f"{profile}: one part", lambda: _told(*bench)
    yield f"{profile}: one part beside two busy processes", lambda: _told(*bench, "--beside", 2)
    yield f"{profile}: a server under load", served


def _trained(folder: Path) -> int:
    """How many training parts the folder has; at least 2."""
    from models.readers.product_folder import open_product_folder

    return max(2, len(open_product_folder(folder).train))


def _good_part(folder: Path) -> PartFile:
    from models.readers.product_folder import open_product_folder

    return next(part for part in open_product_folder(folder).test if part.defect == "good")


def _told(*arguments: object) -> Any:
    """What a command prints as JSON. Raises StepFailed."""
    return json.loads(_run(tribank(*map(str, arguments))))


def _said(*arguments: object) -> None:
    """Run a command that prints nothing to keep. Raises StepFailed."""
    _run(tribank(*map(str, arguments)))


def _run(command: list[str]) -> str:
    """What a command prints. Raises StepFailed with the last lines of its messages."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).splitlines()[-20:])
        raise StepFailed(f"'{' '.join(command)}' ended with status {done.returncode}:\n{last}")
    return done.stdout
