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
    words = dict.fromkeys(in_words(one.environment) for one in evaluations)
    seeds = sorted({one.run.seed for one in evaluations})
    seconds = sum(one.wall_s for one in evaluations)
    memory = max((one.peak_memory_mb for one in evaluations), default=0.0)
    warning = " These results come from different code or machines." if len(words) > 1 else ""
    return (
        f"Made with {'; and with '.join(words)}; seed {', '.join(map(str, seeds))}; "
        f"{seconds:.0f} s of building and scoring, at most {memory:.0f} MB in memory.{warning}"
    )


def result_csv(evaluations: Sequence[Evaluation]) -> str:
    """CSV with one line per evaluation and bank. Numbers are not rounded."""
    lines = [line for one in evaluations for line in _csv_lines(one)]
    file = io.StringIO()
    if lines:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return file.getvalue()


def _csv_lines(one: Evaluation) -> Iterator[dict[str, object]]:
    for bank, column in one.columns.items():
        yield {
            "product": one.product,
            "profile": one.profile,
            "seed": one.run.seed,
            "shots": "all" if one.run.shots is None else one.run.shots,
            "draw": one.run.draw,
            "bank": bank,
            "image_auroc": column.image_auroc,
            "pixel_auroc": column.pixel_auroc,
            **{f"aupro_{limit}": column.aupro.get(str(limit)) for limit in LIMITS},
            **{f"aupro_exact_{limit}": column.aupro_exact.get(str(limit)) for limit in LIMITS},
            "f1": column.f1,
            "f1_threshold": column.f1_threshold,
            **{f"recall_at_{rate}": column.recall_at.get(str(rate)) for rate in FALSE_REJECT_RATES},
            "trained_on": one.trained_on,
            "goods": one.goods,
            "false_rejects": one.false_rejects,
            "defects": one.defects,
            "misses": one.misses,
            "unmasked": one.unmasked,
            "unusable": len(one.unusable),
            "p50_ms": round(one.p50_ms, 2),
            "p90_ms": round(one.p90_ms, 2),
            "wall_s": one.wall_s,
            "peak_memory_mb": one.peak_memory_mb,
            "commit": one.environment["commit"],
        }


def _by_product(profile: str, metric: str, reading: Reading, some: Sequence[Evaluation]) -> TextTable:
    names = list(dict.fromkeys(name for one in some for name in one.columns))
    values = [[reading(one.columns[name]) if name in one.columns else None for name in names] for one in some]
    rows = [[one.product, *map(number, row)] for one, row in zip(some, values, strict=True)]
    rows.append(["mean", *(number(mean(list(column))) for column in zip(*values, strict=True))])
    return TextTable(f"{profile}: {metric}", ["product", *names], rows, bold=1)


def _families(profile: str, some: Sequence[Evaluation]) -> Iterator[TextTable]:
    names = list(dict.fromkeys(name for one in some for name in one.columns))
    kinds = sorted({kind for one in some for column in one.columns.values() for kind in column.families})
    if not kinds:
        return
    columns = [[one.columns[name].families for one in some if name in one.columns] for name in names]
    rows = [
        [kind, *(number(mean([f.get(kind) for f in families])) for families in columns)] for kind in kinds
    ]
    yield TextTable(f"{profile}: image AUROC by defect family, mean over products", ["family", *names], rows)


def _operation(profile: str, some: Sequence[Evaluation]) -> TextTable:
    """Parts at the calibrated threshold, the best possible result, and the time."""
    head = ["product", "false rejects", "misses", "best F1", "recall at 0 rejects", "p50 ms", "p90 ms"]
    rows = []
    for one in some:
        final = one.columns.get(FINAL, Column())
        rows.append(
            [
                one.product,
                f"{one.false_rejects} of {one.goods}",
                f"{one.misses} of {one.defects}",
                number(final.f1),
                number(final.recall_at.get("0.0")),
                f"{one.p50_ms:.0f}",
                f"{one.p90_ms:.0f}",
            ]
        )
    rejects, goods = sum(one.false_rejects for one in some), sum(one.goods for one in some)
    misses, defects = sum(one.misses for one in some), sum(one.defects for one in some)
    finals = [one.columns.get(FINAL, Column()) for one in some]
    best = number(mean([final.f1 for final in finals]))
    recall = number(mean([final.recall_at.get("0.0") for final in finals]))
    rows.append(["all", f"{rejects} of {goods}", f"{misses} of {defects}", best, recall, "", ""])
    notes = [
        f"{one.product}: {count} {what}."
        for one in some
        for count, what in (
            (one.unmasked, "defective parts have no mask, so pixel metrics leave them out"),
            (one.resized, "masks have another size than their part and were resized (nearest pixel)"),
            (len(one.unusable), "test parts could not be scored"),
        )
        if count
    ]
    return TextTable(f"{profile}: at the calibrated threshold", head, rows, notes, bold=1)
