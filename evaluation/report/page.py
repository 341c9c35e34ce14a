"""A product's report: one HTML page without external files, and one PNG contact sheet."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from PIL import Image

from banks.decision.colour_scale import Scale
from banks.detector import Detector
from evaluation.evaluator import NothingToEvaluate
from evaluation.product_evaluation import FINAL, Column, ScoredParts, columns_of
from evaluation.report.cases import Case, chosen_cases
from evaluation.report.odd_parts import ShownPart
from evaluation.report.pictures import SIDE, case_pictures, colour_bar, contact_sheet, map_scales, png
from evaluation.report.plots import report_plots
from evaluation.tables.results import METRICS
from evaluation.tables.text import number
from models.readers.folder_layout import GOOD

_STYLE = f"""
body {{ font-family: sans-serif; color: #222; margin: 24px; }}
table {{ border-collapse: collapse; }} td, th {{ padding: 3px 10px; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }} tr:nth-child(even) td {{ background: #f4f4f4; }}
figure {{ display: inline-block; margin: 0 6px 10px 0; }} figcaption {{ font-size: 12px; color: #555; }}
figure img {{ width: {SIDE}px; height: {SIDE}px; image-rendering: pixelated; display: block; }}
.miss {{ color: #a33; }}
"""


@dataclass(frozen=True, slots=True)
class Report:
    """html: the whole page. sheet: the same cases as a PNG file. facts: what a program wants of it."""

    html: str
    sheet: bytes
    facts: Mapping[str, Any]


def make_report(
    product: str,
    detector: Detector,
    scores: ScoredParts,
    families: Mapping[str, str],
    facts: str,
    odd: Sequence[ShownPart] = (),
) -> Report:
    """Make the report of a product.

    Args:
        product: name.
        detector: the product's detector, for its threshold and profile.
        scores: the scored test parts.
        families: family by defect.
        facts: one line about code and machine.
        odd: the odd good parts of the version.

    Raises NothingToEvaluate if no part was scored.
    """
    if not scores.parts:
        reasons = "; ".join(dict.fromkeys(scores.unusable.values()))
        raise NothingToEvaluate(f"no test part could be scored: {reasons}")
    calibration = detector.calibration
    columns = columns_of(scores.parts, families)
    final = Scale(*calibration.colours, outline=calibration.pixel_threshold)
    scales = map_scales(scores.parts, list(columns), final)
    cases = chosen_cases(scores.parts, families)
    pictures = [case_pictures(case, scales) for case in cases]
    title = f"{product}: {detector.manifest.profile.name}"
    words = [_words(case, calibration.threshold) for case in cases]
    sheet = contact_sheet(list(zip(words, pictures, strict=True)), f"{title}. {facts}")
    data = io.BytesIO()
    sheet.save(data, "PNG", optimize=True)
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(facts)} The threshold {calibration.statement}.</p>",
        _operation(scores, calibration.threshold),
        *_odd(odd),
        _metrics(columns),
        *report_plots(scores.parts, list(columns), calibration.threshold),
        "<h2>Best, median and worst cases</h2>",
        _legend(scales),
    ]
    for case, text, images in zip(cases, words, pictures, strict=True):
        body.append(_case(case, text, images, calibration.threshold))
    return Report(
        html=_page(title, body),
        sheet=data.getvalue(),
        facts={
            "product": product,
            "profile": detector.manifest.profile.name,
            "threshold": calibration.threshold,
            "held_out_parts": calibration.count,
            "odd_parts": [{"part": shown.part.name, "score": shown.part.score} for shown in odd],
        },
    )


def _page(title: str, body: Sequence[str]) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _words(case: Case, threshold: float) -> str:
    scored = case.scored
    decision = "rejected" if scored.result.score > threshold else "passed"
    return (
        f"{case.family}, {case.rank}: {scored.part.name}, score {scored.result.score:.3g} "
        f"(threshold {threshold:.3g}), {decision}"
    )


def _case(case: Case, words: str, pictures: Mapping[str, Image.Image], threshold: float) -> str:
    wrong = (case.scored.result.score > threshold) == (case.scored.part.defect == GOOD)
    mark = ' class="miss"' if wrong else ""
    return f"<h3{mark}>{escape(words)}</h3>\n{_figures(pictures)}"


def _odd(parts: Sequence[ShownPart]) -> list[str]:
    """The odd good parts; nothing where there are none."""
    if not parts:
        return []
    said = (
        "These good parts score far outside the others, by banks without them. They set no threshold. Look "
        "at each: if a part is good, 'tribank banks odd' says so."
    )
    body = ["<h2>Odd good parts</h2>", f"<p>{said}</p>"]
    for shown in parts:
        body.append(f"<h3>{escape(shown.part.name)}, score {shown.part.score:.3g}</h3>")
        body += [_figures(shown.pictures)] if shown.pictures else []
    return body


def _figures(pictures: Mapping[str, Image.Image]) -> str:
    figures = "".join(
        f'<figure><img alt="{escape(title)}" src="{_data(picture)}"><figcaption>{escape(title)}'
        "</figcaption></figure>"
        for title, picture in pictures.items()
    )
    return f"<div>{figures}</div>"


def _metrics(columns: Mapping[str, Column]) -> str:
    readings = {**METRICS, "best F1": lambda column: column.f1}
    head = "".join(f"<th>{escape(name)}</th>" for name in ("bank", *readings))
    rows = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td>{number(reading(column))}</td>" for reading in readings.values())
        + "</tr>"
        for name, column in columns.items()
    ]
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _operation(scores: ScoredParts, threshold: float) -> str:
    good = [part.score(FINAL) > threshold for part in scores.parts if part.part.defect == GOOD]
    bad = [part.score(FINAL) <= threshold for part in scores.parts if part.part.defect != GOOD]
    unusable = "".join(f"<li>{escape(reason)}</li>" for reason in scores.unusable.values())
    listed = f"<p>Not scored:</p><ul>{unusable}</ul>" if unusable else ""
    return (
        f"<p>Test parts at this threshold: {sum(good)} of {len(good)} good parts rejected, "
        f"{sum(bad)} of {len(bad)} defective parts missed.</p>{listed}"
    )


def _legend(scales: Mapping[str, Scale]) -> str:
    ends = "; ".join(f"{name} {scale.low:.3g} to {scale.high:.3g}" for name, scale in scales.items())
    return (
        f'<p><img alt="colour scale" src="{_data(colour_bar())}"> Each column has one scale for all parts: '
        f"{escape(ends)}. The final scale is the calibrated scale of the server. The pixel threshold is in "
        "its middle.</p>"
    )


def _data(picture: Image.Image) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"
