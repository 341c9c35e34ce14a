"""Filled tables as text: our value, the published value and the difference, class by class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evaluation.tables.fill import FilledTable, Line, Score
from evaluation.tables.published import PublishedRow, PublishedTable
from evaluation.tables.text import EMPTY, TextTable, number

_DATASETS = {"mvtec3d": "MVTec 3D-AD", "eyecandies": "Eyecandies"}
_WORDS = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro_0.3": "AUPRO (30 %)"}


def text_table(filled: FilledTable, products: Sequence[str]) -> TextTable:
    """A filled table as text.

    Products that are classes of the paper get the published value and the difference below our value. For
    other products, the published mean is in a separate column without a difference, because it is for other
    parts.
    """
    table = filled.published
    comparable = any(product in table.classes for product in products)
    families = sorted({family for line in filled.lines for family in line.families})
    head = ["setting", *products, "mean", *families]
    if not comparable:
        head.append(f"published mean ({_DATASETS[table.dataset]})")
    rows = []
    for line in filled.lines:
        ours = [_cell(line.scores.get(product)) for product in products]
        ours += [_cell(line.total), *(number(line.families.get(family)) for family in families)]
        name = f"{line.published.label}: {line.label}"
        if not comparable:
            rows.append([name, *ours, number(line.published.best_mean)])
            continue
        rows.append([name, *ours])
        rows += [[label, *cells, *([""] * len(families))] for label, cells in _beside(line, table, products)]
    notes = list(filled.notes)
    remarks = [f"{row.label}: {text}" for row in table.rows for text in (row.gap, row.misprint) if text]
    if remarks:
        notes.append(f"On the published figures: {'; '.join(remarks)}.")
    if not comparable:
        notes.append(
            f"The published means are of {_DATASETS[table.dataset]}: other parts, so no difference is taken."
        )
    return TextTable(f"Table {table.number}: {table.title} ({_WORDS[table.metric]})", head, rows, notes)


def _beside(line: Line, table: PublishedTable, products: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows below a line of ours: the published values, and the differences."""
    published = dict(zip(table.classes, line.published.values, strict=True))
    values = {product: published.get(product) for product in products}
    total = _published_mean(line.published, table, products)
    yield "published", [*(number(value) for value in values.values()), number(total)]
    if not line.scores:
        return
    yield (
        "difference",
        [
            *(_difference(line.scores.get(product), value) for product, value in values.items()),
            _difference(line.total if len(line.scores) == len(products) else None, total),
        ],
    )


def _published_mean(row: PublishedRow, table: PublishedTable, products: Sequence[str]) -> float | None:
    """The published mean over the products: the printed mean for all classes, or the mean of some classes."""
    if set(products) == set(table.classes):
        return row.best_mean
    values = [value for name, value in zip(table.classes, row.values, strict=True) if name in products]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(products) else None


def _cell(score: Score | None) -> str:
    if score is None:
        return EMPTY
    spread = "" if score.spread is None else f" ± {score.spread:.3f}"
    size = "" if score.size is None else f" ({score.size})"
    return f"{score.mean:.3f}{spread}{size}"


def _difference(score: Score | None, published: float | None) -> str:
    if score is None or published is None:
        return EMPTY
    return number(score.mean - published, signed=True)
