"""`tribank report`: images and curves of an evaluation, as static HTML pages and PNG contact sheets."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from cli.evaluate import (
    DEFAULT_OUT,
    CacheDir,
    CacheGb,
    Change,
    Data,
    Device,
    Prepared,
    Weights,
    errors,
    open_evaluator,
    stage_bar,
)
from cli.options import SensorFile, XyzUnit, words_about_files
from models.weights.folder import DEFAULT_WEIGHTS


def report(
    data: Data,
    profile: Annotated[str, typer.Option(help="Profile to show.")] = "embedded",
    product: Annotated[
        list[str] | None, typer.Option(help="Product to show. Repeatable. [default: all]")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Output folder of 'tribank evaluate', whose banks are used; or a new folder.")
    ] = DEFAULT_OUT,
    pages: Annotated[Path | None, typer.Option(help="Folder for the pages. [default: OUT/report]")] = None,
    seed: Annotated[int, typer.Option(help="Seed that was given to 'tribank evaluate'.")] = 0,
    prepared: Prepared = False,
    change: Change = None,
    xyz_unit: XyzUnit = None,
    sensor: SensorFile = None,
    cache: CacheDir = None,
    cache_gb: CacheGb = 10.0,
    weights_dir: Weights = DEFAULT_WEIGHTS,
    device: Device = "cpu",
) -> None:
    """Show the best, the median and the worst case of every defect family, and the curves of the metrics.

    Banks from the evaluation are used. Missing banks are built. A product that cannot be shown is named, and
    the others are shown.
    """
    from banks.versions.builder import BuildError
    from evaluation.bench.environment import environment, in_words
    from evaluation.evaluator import NothingToEvaluate
    from evaluation.report.odd_parts import shown_parts
    from evaluation.report.page import make_report
    from evaluation.run import Run
    from models.training import TrainingFailed

    folder = pages or out / "report"
    folder.mkdir(parents=True, exist_ok=True)
    facts = f"Made with {in_words(environment(device))}; seed {seed}."
    written: list[Path] = []
    failed: list[str] = []
    words = words_about_files(sensor, xyz_unit)
    with stage_bar() as progress:
        evaluator = open_evaluator(
            data, out, seed, prepared, cache, cache_gb, weights_dir, device, progress, change or (), words
        )
        names = evaluator.chosen(product)
        if not any(evaluator.products[name].test for name in names):
            raise NothingToEvaluate(
                f"{data} has no test parts of {', '.join(product or ()) or 'any product'}. Add test/, "
                f"or choose another product: {', '.join(evaluator.products)}."
            )
        for name in names:
            parts = evaluator.products[name]
            try:
                detector, scores = evaluator.scored(Run(name, profile, seed))
                odd = shown_parts(detector, (*parts.train, *parts.validation))
                made = make_report(name, detector, scores, evaluator.families(name), facts, odd)
            except (BuildError, NothingToEvaluate, TrainingFailed) as error:
                failed.append(f"{name}: {error}")
                continue
            page, sheet, data_file = (
                folder / f"{name}-{profile}{suffix}" for suffix in (".html", ".png", ".json")
            )
            page.write_text(made.html, encoding="utf-8")
            sheet.write_bytes(made.sheet)
            data_file.write_text(json.dumps(made.facts, indent=1), encoding="utf-8")
            written += [page, sheet, data_file]
    links = "".join(
        f'<li><a href="{quote(page.name)}">{escape(page.stem)}</a></li>'
        for page in sorted(folder.glob("*-*.html"))
    )
    index = folder / "index.html"
    head = '<meta charset="utf-8"><title>Reports</title>'
    text = f'<!doctype html>\n<html lang="en"><head>{head}</head><body><ul>{links}</ul></body></html>\n'
    index.write_text(text, encoding="utf-8")
    typer.echo("\n".join(map(str, [index, *written])))
    if failed:
        for message in failed:
            errors.print(f"Not shown: {message}", markup=False, style="red")
        raise typer.Exit(1)
