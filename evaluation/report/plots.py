"""The plots of a report: ROC and PRO curves, score histogram, and errors in parts for each threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.metrics.aupro import pro_curve
from evaluation.metrics.detection import roc_curve
from evaluation.metrics.pixel_ranking import rank_pixels
from evaluation.product_evaluation import FINAL, ScoredPart
from evaluation.report.svg import COLOURS, Plot
from models.readers.folder_layout import GOOD

PRO_LIMIT = 0.3
_BINS = 24


def report_plots(parts: Sequence[ScoredPart], columns: Sequence[str], threshold: float) -> list[str]:
    """The plots as SVG text. A plot is left out if its parts are missing (no defect, no good part, no
    mask)."""
    scores = np.array([scored.score(FINAL) for scored in parts])
    bad = np.array([scored.part.defect != GOOD for scored in parts])
    plots = [_histogram(scores, bad, threshold)]
    if bad.any() and not bad.all():
        plots = [_roc(parts, columns, bad), *plots, _costs(scores, bad, threshold)]
    if any(scored.mask is not None and scored.mask.any() for scored in parts):
        plots.insert(1, _pro(parts, columns))
    return [plot.svg() for plot in plots]


def _roc(parts: Sequence[ScoredPart], columns: Sequence[str], bad: np.ndarray) -> Plot:
    plot = Plot("ROC of parts", "good parts rejected", "defective parts found", (0, 1), (0, 1))
    for name, colour in zip(columns, COLOURS, strict=False):
        rate, recall, _ = roc_curve([scored.score(name) for scored in parts], bad)
        plot.line(name, rate.tolist(), recall.tolist(), colour)
    return plot


def _pro(parts: Sequence[ScoredPart], columns: Sequence[str]) -> Plot:
    title = "PRO of defect regions"
    plot = Plot(title, "good pixels marked", "share of a region found", (0, PRO_LIMIT), (0, 1))
    for name, colour in zip(columns, COLOURS, strict=False):
        ranking = rank_pixels((scored.map(name), scored.mask) for scored in parts if scored.mask is not None)
        rate, overlap = pro_curve(ranking, PRO_LIMIT)
        plot.line(name, rate.tolist(), overlap.tolist(), colour)
    return plot


def _histogram(scores: np.ndarray, bad: np.ndarray, threshold: float) -> Plot:
    low, high = _around(scores, threshold)
    edges = np.linspace(low, high, _BINS + 1)
    good, defective = (np.histogram(scores[chosen], edges)[0] for chosen in (~bad, bad))
    most = float(max(good.max(), defective.max(), 1))
    plot = Plot("Final scores of test parts", "score", "parts", (low, high), (0, most))
    plot.bars("good", edges.tolist(), good.tolist(), COLOURS[0])
    plot.bars("defective", edges.tolist(), defective.tolist(), COLOURS[1])
    plot.upright("threshold", threshold, COLOURS[4])
    return plot


def _costs(scores: np.ndarray, bad: np.ndarray, threshold: float) -> Plot:
    """False rejects and misses in parts over the threshold, with a step at every score."""
    low, high = _around(scores, threshold)
    steps = np.repeat(np.concatenate([[low], np.unique(scores), [high]]), 2)
    at, level = steps[1:], steps[:-1]
    rejects = [int((scores[~bad] > x).sum()) for x in level]
    misses = [int((scores[bad] <= x).sum()) for x in level]
    title = "What a threshold costs"
    plot = Plot(title, "threshold", "test parts", (low, high), (0, max(*rejects, *misses, 1)))
    plot.line(f"false rejects of {int((~bad).sum())}", at.tolist(), rejects, COLOURS[0])
    plot.line(f"misses of {int(bad.sum())}", at.tolist(), misses, COLOURS[1])
    plot.upright("threshold", threshold, COLOURS[4])
    return plot


def _around(scores: np.ndarray, threshold: float) -> tuple[float, float]:
    return float(min(scores.min(), threshold)), float(max(scores.max(), threshold))
