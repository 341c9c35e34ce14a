"""Filling tables from finished runs: draws, sweeps, differences, and what cannot be filled."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from evaluation.product_evaluation import Column, Evaluation
from evaluation.run import Run
from evaluation.tables.fill import TableFiller, TableSettings, sweep_sizes
from evaluation.tables.layout import text_table
from evaluation.tables.plan import PAPER, SHOTS, STAND_INS, paper_source
from evaluation.tables.published import published_tables

HERE = {"embedded-three", "embedded-dlf", "fpfh"}


def _filler(
    parts: dict[str, int], stand_ins: bool = True, also: Collection[str] = (), **changes: object
) -> TableFiller:
    def missing(profile: str) -> list[str]:
        return [] if profile in HERE or profile in also else ["dino_vitb8"]

    settings = {"seed": 0, "draws": 2, "paper_code": False} | changes
    return TableFiller(TableSettings(parts=parts, stand_ins=stand_ins, missing=missing, **settings))  # pyright: ignore


def _done(run: Run, value: float) -> Evaluation:
    column = Column(image_auroc=value, pixel_auroc=value, aupro={"0.3": value}, families={"shape": value})
    names: list[str] = ["rgb", "point", "fused", "final"]
    return Evaluation(run, "", dict.fromkeys(names, column), 40, (), 1, 0, 1, 0, 0, {}, 1, 1, 1, 1, {})


def test_every_published_row_has_a_source() -> None:
    from recipes.profiles import PROFILES

    for table in published_tables().values():
        for row in table.rows:
            assert row.key in PAPER or row.key in SHOTS or row.key in STAND_INS, row.key
    sources = [*PAPER.values(), *(source for some in STAND_INS.values() for source in some)]
    assert {source.profile for source in sources} <= set(PROFILES)
    for source in sources:
        assert source.column in (*PROFILES[source.profile].banks, "final")
    code = paper_source("full", paper_code=True)
    assert code is not None
    assert code.profile == "m3dm-paper-code"


def test_ours_beside_the_published_value_and_the_difference() -> None:
    table = published_tables()["I"]
    products = list(table.classes)
    filler = _filler(dict.fromkeys(products, 40), stand_ins=False)
    runs = filler.runs("I")
    assert runs == [Run(product, "fpfh") for product in products], "the others have no weights"
    filled = filler.fill("I", {run: _done(run, 0.9) for run in runs}, {})
    shown = text_table(filled, products)
    assert shown.head == ["setting", *products, "mean"]
    ours, published, difference = shown.rows[:3]
    assert ours[0] == "FPFH: fpfh"
    assert ours[1:] == ["0.900"] * 11
    assert (published[1], published[-1]) == ("0.994", "0.978")
    assert (difference[1], difference[-1]) == ("-0.094", "-0.078")
    text = shown.markdown()
    assert "weights are missing: dino_vitb8" in text
    assert "AST (ast-efficientnet-b5)" in text


def test_few_shots_are_drawn_and_their_spread_is_told() -> None:
    parts = {"biscuit": 40, "lid": 40}
    filler = _filler(parts)
    runs = filler.runs("VI")
    assert {(run.shots, run.draw) for run in runs} == {(5, 0), (5, 1), (10, 0), (10, 1), (None, 0)}
    done = {run: _done(run, 0.8 + 0.1 * run.draw) for run in runs}
    shown = text_table(filler.fill("VI", done, {}), list(parts))
    assert shown.head == ["setting", "biscuit", "lid", "mean", "shape", "published mean (MVTec 3D-AD)"]
    five = next(row for row in shown.rows if row[0] == "5-shot: embedded-three")
    assert five[1:] == ["0.850 ± 0.071", "0.850 ± 0.071", "0.850 ± 0.071", "0.850", "0.796"]
    assert "the largest has 40" in shown.markdown()
    assert "2 draws" in shown.markdown()


def test_a_sweep_reports_the_best_size_and_a_fixed_one() -> None:
    assert sweep_sizes(400) == [10, 20, 50, 100, 200, 400]
    assert sweep_sizes(40) == [10, 20, 40]
    filler = _filler({"biscuit": 40, "lid": 40})
    runs = filler.runs("X")
    assert {run.shots for run in runs} == {10, 20, None}
    assert {run.profile for run in runs} == {"embedded-three"}
    done = {run: _done(run, 0.9 if run.shots == 20 and run.product == "lid" else 0.5) for run in runs}
    lines = {line.label: line for line in filler.fill("X", done, {}).lines if line.published.key == "full"}
    best, fixed = lines["embedded-three, best size"], lines["embedded-three, all parts"]
    assert best.scores["lid"].size == 20
    assert best.scores["lid"].mean == 0.9
    assert best.total is not None
    assert best.total.mean == pytest.approx(0.7)
    assert fixed.scores["lid"].mean == 0.5


def test_the_autoencoders_are_no_setting_of_the_paper_and_say_so() -> None:
    filler = _filler({"biscuit": 40}, also={"autoencoder-rgbcdn"})
    runs = [run for run in filler.runs("XI") if run.profile == "autoencoder-rgbcdn"]
    table = filler.fill("XI", {run: _done(run, 0.8) for run in runs}, {})
    (line,) = (line for line in table.lines if line.label == "autoencoder-rgbcdn")
    assert (line.published.key, line.published.best_mean) == ("eyecandies_rgbcdn", 0.962)
    assert any("was not published" in note for note in table.notes)


def test_a_quoted_method_is_filled_from_all_parts_beside_its_published_value() -> None:
    filler = _filler({"biscuit": 40, "lid": 40}, also={"padim"})
    runs = [run for run in filler.runs("X") if run.profile == "padim"]
    assert {(run.product, run.shots) for run in runs} == {("biscuit", None), ("lid", None)}
    lines = filler.fill("X", {run: _done(run, 0.8) for run in runs}, {}).lines
    ours, paper = (
        next(line for line in lines if line.label == label) for label in ("padim", "padim-wide-resnet50")
    )
    assert ours.total is not None
    assert (ours.total.mean, ours.published.best_mean) == (pytest.approx(0.8), 0.794)
    assert (paper.published.key, paper.scores) == ("padim", {})
    assert "dino_vitb8" in paper.why


def test_a_run_that_failed_says_why() -> None:
    filler = _filler({"biscuit": 40, "lid": 40}, stand_ins=False)
    good, bad = filler.runs("I")
    filled = filler.fill("I", {good: _done(good, 0.9)}, {bad: "lid: no cloud"})
    line = filled.lines[0]
    assert set(line.scores) == {"biscuit"}
    assert line.why == "lid: no cloud"
    assert any(note.startswith("Incomplete: FPFH") for note in filled.notes)
