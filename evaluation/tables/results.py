"""Evaluations as tables and as CSV, for `tribank evaluate`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from evaluation.bench.environment import in_words
from evaluation.metrics.aupro import LIMITS
from evaluation.metrics.detection import FALSE_REJECT_RATES
from evaluation.product_evaluation import FINAL, Column, Evaluation
from evaluation.tables.text import TextTable, mean, number

Reading = Callable[[Column], float | None]

METRICS: dict[str, Reading] = {
    "image AUROC": lambda column: column.image_auroc,
    "pixel AUROC": lambda column: column.pixel_auroc,
    "AUPRO (30 %)": lambda column: column.aupro.get("0.3"),
    "AUPRO (1 %)": lambda column: column.aupro.get("0.01"),
}
"""The metrics that are shown for every bank, by name."""


def result_tables(evaluations: Sequence[Evaluation]) -> list[TextTable]:
    """The tables of every profile, in the order of the evaluations."""
    tables = []
    for profile in dict.fromkeys(evaluation.profile for evaluation in evaluations):
        own = [evaluation for evaluation in evaluations if evaluation.profile == profile]
        tables += [_by_product(profile, metric, reading, own) for metric, reading in METRICS.items()]
        tables += [*_families(profile, own), _operation(profile, own)]
    return tables


def result_markdown(evaluations: Sequence[Evaluation]) -> str:
    """All tables, and their provenance."""
    tables = "\n".join(table.markdown() for table in result_tables(evaluations))
    return f"{tables}\n{provenance(evaluations)}\n"


def provenance(evaluations: Sequence[Evaluation]) -> str:
    """One sentence about code, machine and cost, with a warning if there are several environments."""
    words = dict.fromkeys(in_words(evaluation.environment) for evaluation in evaluations)
    seeds = sorted({evaluation.run.seed for evaluation in evaluations})
    seconds = sum(evaluation.wall_s for evaluation in evaluations)
    memory = max((evaluation.peak_memory_mb for evaluation in evaluations), default=0.0)
    warning = " These results come from different code or machines." if len(words) > 1 else ""
    return (
        f"Made with {'; and with '.join(words)}; seed {', '.join(map(str, seeds))}; "
        f"{seconds:.0f} s of building and scoring, at most {memory:.0f} MB in memory.{warning}"
    )


def result_csv(evaluations: Sequence[Evaluation]) -> str:
    """CSV with one line per evaluation and bank. Numbers are not rounded."""
    lines = [line for evaluation in evaluations for line in _csv_lines(evaluation)]
    file = io.StringIO()
    if lines:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return file.getvalue()


def _csv_lines(evaluation: Evaluation) -> Iterator[dict[str, object]]:
    for bank, column in evaluation.columns.items():
        yield {
            "product": evaluation.product,
            "profile": evaluation.profile,
            "seed": evaluation.run.seed,
            "shots": "all" if evaluation.run.shots is None else evaluation.run.shots,
            "draw": evaluation.run.draw,
            "bank": bank,
            "image_auroc": column.image_auroc,
            "pixel_auroc": column.pixel_auroc,
            **{f"aupro_{limit}": column.aupro.get(str(limit)) for limit in LIMITS},
            **{f"aupro_exact_{limit}": column.aupro_exact.get(str(limit)) for limit in LIMITS},
            "f1": column.f1,
            "f1_threshold": column.f1_threshold,
            **{f"recall_at_{rate}": column.recall_at.get(str(rate)) for rate in FALSE_REJECT_RATES},
            "trained_on": evaluation.trained_on,
            "goods": evaluation.goods,
            "false_rejects": evaluation.false_rejects,
            "defects": evaluation.defects,
            "misses": evaluation.misses,
            "unmasked": evaluation.unmasked,
            "unusable": len(evaluation.unusable),
            "p50_ms": round(evaluation.p50_ms, 2),
            "p90_ms": round(evaluation.p90_ms, 2),
            "wall_s": evaluation.wall_s,
            "peak_memory_mb": evaluation.peak_memory_mb,
            "commit": evaluation.environment["commit"],
        }


def _by_product(profile: str, metric: str, reading: Reading, evaluations: Sequence[Evaluation]) -> TextTable:
    names = list(dict.fromkeys(name for evaluation in evaluations for name in evaluation.columns))
    values = [
        [reading(evaluation.columns[name]) if name in evaluation.columns else None for name in names]
        for evaluation in evaluations
    ]
    rows = [
        [evaluation.product, *map(number, row)] for evaluation, row in zip(evaluations, values, strict=True)
    ]
    rows.append(["mean", *(number(mean(list(column))) for column in zip(*values, strict=True))])
    return TextTable(f"{profile}: {metric}", ["product", *names], rows, bold=1)


def _families(profile: str, evaluations: Sequence[Evaluation]) -> Iterator[TextTable]:
    names = list(dict.fromkeys(name for evaluation in evaluations for name in evaluation.columns))
    kinds = sorted(
        {
            kind
            for evaluation in evaluations
            for column in evaluation.columns.values()
            for kind in column.families
        }
    )
    if not kinds:
        return
    columns = [
        [evaluation.columns[name].families for evaluation in evaluations if name in evaluation.columns]
        for name in names
    ]
    rows = [
        [kind, *(number(mean([f.get(kind) for f in families])) for families in columns)] for kind in kinds
    ]
    yield TextTable(f"{profile}: image AUROC by defect family, mean over products", ["family", *names], rows)


def _operation(profile: str, evaluations: Sequence[Evaluation]) -> TextTable:
    """Parts at the calibrated threshold, the best possible result, and the time."""
    head = ["product", "false rejects", "misses", "best F1", "recall at 0 rejects", "p50 ms", "p90 ms"]
    rows = []
    for evaluation in evaluations:
        final = evaluation.columns.get(FINAL, Column())
        rows.append(
            [
                evaluation.product,
                f"{evaluation.false_rejects} of {evaluation.goods}",
                f"{evaluation.misses} of {evaluation.defects}",
                number(final.f1),
                number(final.recall_at.get("0.0")),
                f"{evaluation.p50_ms:.0f}",
                f"{evaluation.p90_ms:.0f}",
            ]
        )
    rejects, goods = (
        sum(evaluation.false_rejects for evaluation in evaluations),
        sum(evaluation.goods for evaluation in evaluations),
    )
    misses, defects = (
        sum(evaluation.misses for evaluation in evaluations),
        sum(evaluation.defects for evaluation in evaluations),
    )
    finals = [evaluation.columns.get(FINAL, Column()) for evaluation in evaluations]
    best = number(mean([final.f1 for final in finals]))
    recall = number(mean([final.recall_at.get("0.0") for final in finals]))
    rows.append(["all", f"{rejects} of {goods}", f"{misses} of {defects}", best, recall, "", ""])
    notes = [
        f"{evaluation.product}: {count} {what}."
        for evaluation in evaluations
        for count, what in (
            (evaluation.unmasked, "defective parts have no mask, so pixel metrics leave them out"),
            (evaluation.resized, "masks have another size than their part and were resized (nearest pixel)"),
            (len(evaluation.unusable), "test parts could not be scored"),
        )
        if count
    ]
    return TextTable(f"{profile}: at the calibrated threshold", head, rows, notes, bold=1)
