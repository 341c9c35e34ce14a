"""All commands in one application, and the everyday commands themselves: build, score, serve, trace."""

from __future__ import annotations

import json
import os
import resource
import textwrap
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli import banks as banks_commands
from cli import cluster as cluster_commands
from cli import data as data_commands
from cli import doctor as doctor_command
from cli import keys as keys_commands
from cli import plan as plan_command
from cli import reference as reference_command
from cli import train_uff as fusion_command
from cli import weights as weights_commands
from cli.backup import backup, restore
from cli.bench_host import bench_host
from cli.change_record import record
from cli.contamination import contamination
from cli.copy_records import copy_records
from cli.demo import demo
from cli.demo_parts import demo_parts
from cli.evaluate import evaluate
from cli.metrics import metrics
from cli.options import (
    Banks,
    Change,
    Device,
    Json,
    Prepared,
    Product,
    ProfileName,
    Rgb,
    SensorFile,
    State,
    Weights,
    Xyz,
    XyzUnit,
    chosen_device,
    files_of,
    words_about_files,
)
from cli.progress import console, stage_bars, step_lines
from cli.report import report
from cli.simulate import simulate
from cli.sizes import sizes
from cli.tables import tables
from evaluation.bench.build import bench_build
from evaluation.bench.part import bench
from evaluation.bench.serve import bench_serve
from models.libraries import importing
from models.weights.folder import DEFAULT_WEIGHTS
from recipes.fusion import MOST_SEED
from recipes.places import DEFAULT_BANKS, DEFAULT_STATE

if TYPE_CHECKING:
    from recipes.profile import Profile

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find defective parts after learning from good parts only.",
)
app.add_typer(banks_commands.app, name="banks")
app.add_typer(keys_commands.app, name="keys")
app.add_typer(cluster_commands.app, name="cluster")
app.add_typer(weights_commands.app, name="weights")
app.command()(doctor_command.doctor)
app.command()(plan_command.plan)
app.command()(reference_command.reference)
app.command("train-uff")(fusion_command.train_uff)
app.command()(backup)
app.command("copy-records")(copy_records)
app.command()(restore)


@app.command()
def build(
    product: Product,
    data: Annotated[
        Path, typer.Argument(help="Product folder in the MVTec 3D-AD layout, or folder of good parts.")
    ],
    banks: Banks = DEFAULT_BANKS,
    profile: ProfileName = "embedded",
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST_SEED,
            help="Seed of the random projection before the coreset, and of networks that are trained.",
        ),
    ] = 0,
    prepared: Prepared = False,
    change: Change = None,
    xyz_unit: XyzUnit = None,
    sensor: SensorFile = None,
    roi: Annotated[
        Path | None,
        typer.Option(
            help="Region of interest: polygons (JSON) or a grey PNG. [default: roi.json or roi.png in DATA]"
        ),
    ] = None,
    extend: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Version (or: active) whose parts are used too, with its profile and seed.",
        ),
    ] = None,
    activate: Annotated[bool, typer.Option(help="Use the new version for scoring.")] = True,
    keep_parts: Annotated[
        bool, typer.Option(help="Keep the features of the parts, so that the version can be extended.")
    ] = True,
    as_json: Json = False,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
    state: State = DEFAULT_STATE,
) -> None:
    """Build a product's memory banks from good parts, and make them its active version.

    The activation is put on the record of changes, if the folder --state exists.

    --json prints one line with the names of the stages, one line per step, and one line with the new version
    and the most memory that the build took.
    """
    with importing():
        from banks.versions.builder import Builder
        from banks.versions.store import BankStore
        from models.readers.product_folder import open_product_folder
        from recipes.profiles import find_profile
        from service.engine.scorers import scorers_on

    fixed = {"--profile": profile != "embedded", "--seed": seed, "--prepared": prepared, "--set": change}
    fixed |= {"--roi": roi}
    if extend and any(fixed.values()):
        given = ", ".join(option for option, value in fixed.items() if value)
        raise typer.BadParameter(
            f"the profile, seed and settings of the extended version are used. Remove {given}.",
            param_hint="--extend",
        )
    store, chosen = BankStore(banks), chosen_device(device)
    store.versions(product)  # refuses what is no product name
    folder = open_product_folder(data).declaring(words_about_files(sensor, xyz_unit))
    if roi is not None:
        folder = replace(folder, roi=roi)
    # Without clouds, the background cannot be removed, so images are used as they are.
    recipe = find_profile(profile, prepared=prepared or not folder.has_clouds, changes=change or ())
    for note in folder.skipped:
        console.print(f"skipped: {note}", markup=False)
    with step_lines() if as_json else stage_bars() as progress:
        others = {
            "device": chosen,
            "at_once": scorers_on(chosen, None),  # as parts are scored by a server
            "weights_dir": weights_dir,
            "progress": progress,
            "keep_parts": keep_parts,
        }
        if extend:
            extend = store.path(product, None if extend == "active" else extend).name
            builder = Builder.like(store, product, extend, **others)
        else:
            builder = Builder(recipe, store, seed, **others)
        if as_json:
            typer.echo(json.dumps({"stages": builder.stages(folder)}))
        version = builder.build(product, folder, extends=extend, activate=activate)
    if activate and state.is_dir():
        record(
            state,
            "activate",
            product=product,
            bank_version=version,
            before={"active": store.previous(product)},
            after={"active": version},
        )
    if as_json:
        peak_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        typer.echo(json.dumps({"product": product, "version": version, "peak_memory_bytes": peak_bytes}))
        return
    banks_commands.print_version(product, store.path(product, version))


@app.command()
def score(
    product: Product,
    rgb: Rgb,
    xyz: Xyz,
    intrinsics: Annotated[
        Path | None,
        typer.Option(help="JSON file of the camera. The second file is then a depth map: PNG, TIFF or NPY."),
    ] = None,
    xyz_unit: XyzUnit = None,
    sensor: SensorFile = None,
    banks: Banks = DEFAULT_BANKS,
    prepared: Prepared = False,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="NPZ file for distances, score and map of every bank, and the result."
        ),
    ] = None,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Score one part with a product's active banks. Exits with 0 for good and defective parts."""
    with importing():
        import numpy as np

        from banks.detector import Detector
        from banks.versions.store import BankStore
        from models.readers import read_files
        from models.readers.file_names import printable
        from models.sample import BadSample, without_returns

    files = files_of(rgb, xyz, intrinsics)
    detector = Detector.load(
        BankStore(banks).path(product),
        device=chosen_device(device),
        weights_dir=weights_dir,
        prepared=prepared,
    )
    words = words_about_files(sensor, xyz_unit)
    sample = read_files(files, detector.manifest.sensor, words=words)
    (result,) = detector.score([sample])
    if isinstance(result, BadSample):
        raise result
    if output is not None:
        with output.open("wb") as file:  # numpy adds .npz to the name of a file
            np.savez_compressed(file, allow_pickle=False, **result.arrays())
    if as_json:
        from service.answers.renderers import render_json
        from service.answers.scan import Scan
        from service.engine.owner import Scored

        sample = without_returns(sample, detector.manifest.profile.preparation.no_return)
        scan = Scan(sample, Scored(result, detector, 0.0), None, uuid.uuid4().hex, result.timings_ms)
        typer.echo(render_json(scan).decode())
        return
    table = Table("part", "score", "threshold", "decision")
    table.add_row(
        escape(printable(rgb.stem)),
        f"{result.score:.3f}",
        f"{result.threshold:.3f}",
        result.decision,
    )
    Console().print(table)
    typer.echo("banks: " + ", ".join(f"{bank} {value:.3f}" for bank, value in result.bank_scores.items()))


@app.command()
def trace(
    rgb: Rgb,
    xyz: Xyz,
    output: Annotated[Path, typer.Option("-o", "--output", help="NPZ file to write.")],
    profile: ProfileName = "embedded",
    prepared: Prepared = False,
    change: Change = None,
    xyz_unit: XyzUnit = None,
    sensor: SensorFile = None,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Write every stage of one part, from valid points to fused patches. No bank is needed."""
    import numpy as np

    from models.fusion.registry import FUSIONS
    from models.preparation.measure import measure
    from models.readers import read_files
    from models.trace import trace as trace_part
    from models.weights.store import WeightStore
    from recipes.profiles import find_profile

    recipe = find_profile(profile, prepared=prepared, changes=change or ())
    weights, chosen = WeightStore(weights_dir), chosen_device(device)
    kind = recipe.extraction.fusion
    fusion = FUSIONS[kind].ready(weights, chosen) if kind else None
    part = read_files(files_of(rgb, xyz), words=words_about_files(sensor, xyz_unit))
    recipe = recipe.resolved(measure([part], recipe.preparation))
    stages = trace_part(part, recipe.preparation, recipe.extraction, weights, fusion=fusion, device=chosen)
    with output.open("wb") as file:
        np.savez(file, allow_pickle=False, **stages)
    table = Table("stage", "shape", "type")
    for name, stage in stages.items():
        table.add_row(name, " x ".join(map(str, stage.shape)), str(stage.dtype))
    Console().print(table)


@app.command()
def serve(
    banks: Banks = DEFAULT_BANKS,
    host: Annotated[str, typer.Option(envvar="TRIBANK_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="TRIBANK_PORT", help="Port to listen on; 0 chooses a free port.")
    ] = 8000,
    state: State = DEFAULT_STATE,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "auto",
) -> None:
    """Serve every product in --banks over HTTP. Further settings: TRIBANK_* (see docs/reference.md).

    Exits with 70 when scoring is not possible, or no longer: your service manager should restart the server.
    Exits with 2 for an error that you must fix first.
    """
    from service.settings import read_settings

    settings = read_settings(banks=banks, host=host, port=port, state=state, weights=weights_dir)

    with importing():  # which takes seconds: settings are checked first
        from service.cluster.calls import NoCluster
        from service.exit_status import EXIT_UNABLE
        from service.server import run

    try:
        able = run(
            settings.model_copy(update={"device": chosen_device(device)}),
            ready=lambda address: console.print(
                f"Serving on {address} (the API describes itself at {address}/openapi.json)"
            ),
        )
    except NoCluster as error:  # its head may come later
        typer.echo(f"tribank: {error}", err=True)
        able = False
    if not able:
        # Exit at once, because a normal exit may wait for a thread that hangs in a driver.
        os._exit(EXIT_UNABLE)


@app.command()
def openapi(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write. [default: standard output]")
    ] = None,
) -> None:
    """Write the OpenAPI document of the API."""
    from service.app import create_app
    from service.http.document import document_text
    from service.settings import read_settings

    text = document_text(create_app(read_settings(host="localhost")))
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@app.command()
def profiles(as_json: Json = False, weights_dir: Weights = DEFAULT_WEIGHTS) -> None:
    """List the profiles for 'tribank build --profile NAME', and the weights that are missing for them."""
    from models.weights.folder import missing_weights
    from recipes.profiles import PROFILES

    rows = [(p.name, missing_weights(weights_dir, p.extraction.weights()), p) for p in PROFILES.values()]
    if as_json:
        typer.echo(_profiles_json(rows))
        return
    # Lines instead of a table, because five columns do not fit into a terminal of 80 columns.
    for name, missing, profile in rows:
        typer.echo(f"{name:26}{' '.join(profile.banks):32}{profile.decision}")
        for paragraph in (profile.summary, f"Missing weights: {', '.join(missing)}" if missing else ""):
            for line in textwrap.wrap(paragraph, 75):
                typer.echo(f"    {line}")


def _profiles_json(rows: Sequence[tuple[str, list[str], Profile]]) -> str:
    return json.dumps(
        [
            {"name": name, "missing_weights": missing, "profile": profile.model_dump(mode="json")}
            for name, missing, profile in rows
        ]
    )


app.add_typer(data_commands.app, name="data")
app.command("demo-parts")(demo_parts)
app.command()(demo)
app.command()(bench)
app.command("bench-build")(bench_build)
app.command("bench-host")(bench_host)
app.command("bench-serve")(bench_serve)
app.command()(evaluate)
app.command()(metrics)
app.command()(tables)
app.command()(simulate)
app.command()(sizes)
app.command()(contamination)
app.command()(report)
