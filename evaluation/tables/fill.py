"""Fill the supplement's tables with our numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean as average
from statistics import stdev

from evaluation.product_evaluation import Column, Evaluation
from evaluation.run import Run
from evaluation.tables.plan import SHOTS, SIZES, SWEPT, Source, paper_source, stand_ins, swept
from evaluation.tables.published import Metric, PublishedRow, PublishedTable, published_tables

READINGS: Mapping[Metric, Callable[[Column], float | None]] = {
    "image_auroc": lambda column: column.image_auroc,
    "pixel_auroc": lambda column: column.pixel_auroc,
    "aupro_0.3": lambda column: column.aupro.get("0.3"),
}


@dataclass(frozen=True, slots=True)
class TableSettings:
    """Settings of all tables.

    Attributes:
        parts: number of training parts by product.
        seed: of the draws and the builds.
        draws: number of draws for each few-shot size.
        stand_ins: whether rows of substitute profiles are added, whose weights Tribank includes.
        paper_code: whether the settings of the published code are used instead of those of the text.
        missing: names of the weights that a profile needs and that are not installed.
    """

    parts: Mapping[str, int]
    seed: int
    draws: int
    stand_ins: bool
    paper_code: bool
    missing: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Score:
    """A product's metric.

    Attributes:
        mean: over draws.
        spread: standard deviation over draws; None for a single draw.
        size: number of training parts, for the best size of a sweep.
    """

    mean: float
    spread: float | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One row with our numbers.

    Attributes:
        label: name of the setting.
        published: the published row.
        scores: by product; empty if the row cannot be filled.
        families: mean image AUROC over products, by defect family.
        total: mean over products.
        why: why the row is empty or incomplete.
    """

    label: str
    published: PublishedRow
    scores: Mapping[str, Score]
    families: Mapping[str, float]
    total: Score | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class FilledTable:
    """A table with our lines in the paper's order, and notes below the table."""

    published: PublishedTable
    lines: Sequence[Line]
    notes: Sequence[str]


class TableFiller:
    """Lists the runs that a table needs, and fills the table from finished runs."""

    def __init__(self, settings: TableSettings) -> None:
        self._settings = settings

    def runs(self, number: str) -> list[Run]:
        """The runs that a table needs and whose weights are installed."""
        runs: dict[Run, None] = {}
        for row in published_tables()[number].rows:
            for source in self._sources(number, row.key):
                if not self._settings.missing(source.profile):
                    runs.update(dict.fromkeys(self._runs_of(number, row.key, source)))
        return list(runs)

    def fill(self, number: str, done: Mapping[Run, Evaluation], failed: Mapping[Run, str]) -> FilledTable:
        """Fill a table. done: results of finished runs. failed: reasons of failed runs."""
        table = published_tables()[number]
        lines: list[Line] = []
        for row in table.rows:
            for source in self._sources(number, row.key):
                missing = self._settings.missing(source.profile)
                if missing:
                    lines.append(_empty(source.label, row, f"weights are missing: {', '.join(missing)}"))
                else:
                    lines += self._lines(table, row, source, done, failed)
        return FilledTable(table, lines, list(self._notes(number, lines)))

    def _sources(self, number: str, key: str) -> list[Source]:
        paper = paper_source(key, self._settings.paper_code)
        sources = [] if paper is None else [paper]
        return sources + list(stand_ins(number, key)) if self._settings.stand_ins else sources

    def _runs_of(self, number: str, key: str, source: Source) -> Iterator[Run]:
        seed = self._settings.seed
        for product, parts in self._settings.parts.items():
            if swept(number, key):
                for size in sweep_sizes(parts):
                    yield Run(product, source.profile, seed, None if size == parts else size)
            elif key in SHOTS and SHOTS[key] <= parts:
                for draw in range(self._settings.draws):
                    yield Run(product, source.profile, seed, SHOTS[key], draw)
            elif key not in SHOTS:
                yield Run(product, source.profile, seed)

    def _lines(
        self,
        table: PublishedTable,
        row: PublishedRow,
        source: Source,
        done: Mapping[Run, Evaluation],
        failed: Mapping[Run, str],
    ) -> Iterator[Line]:
        runs = list(self._runs_of(table.number, row.key, source))
        if not runs:
            most = max(self._settings.parts.values(), default=0)
            yield _empty(source.label, row, f"no product has enough training parts; the largest has {most}")
            return
        reasons = dict.fromkeys(failed[run] for run in runs if run in failed)
        usable = [done[run] for run in runs if run in done]
        if not usable:
            yield _empty(source.label, row, "; ".join(reasons) or "not run")
        elif swept(table.number, row.key):
            yield from self._swept(table, row, source, usable)
        else:
            yield _line(source.label, table.metric, row, source.column, usable, "; ".join(reasons))

    def _swept(
        self, table: PublishedTable, row: PublishedRow, source: Source, usable: Sequence[Evaluation]
    ) -> Iterator[Line]:
        read = READINGS[table.metric]
        parts = self._settings.parts
        best: dict[str, Score] = {}
        for evaluation in usable:
            product = evaluation.product
            column = evaluation.columns.get(source.column)
            value = None if column is None else read(column)
            size = evaluation.run.shots or parts[product]
            if value is not None and (product not in best or value > best[product].mean):
                best[product] = Score(value, size=size)
        total = Score(average(score.mean for score in best.values())) if best else None
        yield Line(f"{source.label}, best size", row, best, {}, total)
        fixed = [evaluation for evaluation in usable if evaluation.run.shots is None]
        yield _line(f"{source.label}, all parts", table.metric, row, source.column, fixed)

    def _notes(self, number: str, lines: Sequence[Line]) -> Iterator[str]:
        sources = (
            source for row in published_tables()[number].rows for source in self._sources(number, row.key)
        )
        words = dict.fromkeys(f"{source.label}: {source.what}" for source in sources if source.what)
        if words:
            yield f"Stand-ins, not the paper's settings: {'; '.join(words)}."
        if any(line.published.key in SHOTS and line.scores for line in lines):
            yield (
                f"Few-shot rows: mean ± standard deviation over {self._settings.draws} draws of training "
                f"parts (seed {self._settings.seed}; larger sizes hold the smaller ones). The validation "
                "parts are left out: threshold and decision come from cross-validation over the shots."
            )
        if number in SWEPT:
            yield (
                "Best size: the number of training parts chosen for each class on the test parts, as the "
                "paper does; in brackets. All parts: fixed beforehand, the number to expect."
            )
        for why in dict.fromkeys(line.why for line in lines if line.why):
            rows = ", ".join(f"{line.published.label} ({line.label})" for line in lines if line.why == why)
            yield f"{'Incomplete' if _partly(lines, why) else 'Not run'}: {rows}: {why}"


def sweep_sizes(parts: int) -> list[int]:
    """The sizes of a sweep: the paper's sizes below the product's number of training parts, and that
    number."""
    return [*(size for size in SIZES if size < parts), parts]


def _partly(lines: Sequence[Line], why: str) -> bool:
    return any(line.scores for line in lines if line.why == why)


def _empty(label: str, row: PublishedRow, why: str) -> Line:
    return Line(label, row, {}, {}, None, why)


def _line(
    label: str,
    metric: Metric,
    row: PublishedRow,
    column: str,
    usable: Sequence[Evaluation],
    why: str = "",
) -> Line:
    """A line with means over draws by product. The spread of the total is over the draws' means over
    products."""
    values: dict[str, list[float]] = {}
    by_draw: dict[int, list[float]] = {}
    families: dict[str, list[float]] = {}
    for evaluation in usable:
        read = evaluation.columns.get(column, Column())
        value = READINGS[metric](read)
        if value is not None:
            values.setdefault(evaluation.product, []).append(value)
            by_draw.setdefault(evaluation.run.draw, []).append(value)
        for family, auroc in read.families.items():
            families.setdefault(family, []).append(auroc)
    scores = {product: _score(draws) for product, draws in values.items()}
    total = _score([average(draw) for draw in by_draw.values()]) if by_draw else None
    means = {family: average(aurocs) for family, aurocs in sorted(families.items())}
    why = why or ("" if scores else "good test parts, or defective test parts with masks, are missing")
    return Line(label, row, scores, means if metric == "image_auroc" else {}, total, why)


def _score(values: Sequence[float]) -> Score:
    return Score(average(values), stdev(values) if len(values) > 1 else None)
