"""`tribank metrics`: metrics of anomaly maps in files, from any method."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from evaluation.metrics.map_folder import MapMatch, MapPairs


class MissingMask(StrEnum):
    """Meaning of a map without a mask: an error, or a good part."""

    ERROR = "error"
    GOOD = "good"


def metrics(
    maps: Annotated[Path, typer.Option(help="Folder of maps, .npy or .tiff; higher is more anomalous.")],
    masks: Annotated[
        Path, typer.Option(help="Folder of PNG masks with the same names; not black is defect.")
    ],
    scores: Annotated[
        Path | None, typer.Option(help="Image scores by name: CSV (name,score) or JSON {name: score}.")
    ] = None,
    missing_mask: Annotated[
        MissingMask, typer.Option(help="Meaning of a map without a mask: an error, or a good part.")
    ] = MissingMask.ERROR,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compute pixel AUROC, AUPRO and image metrics of maps and masks, matched by name.

    The mask of crack/003.npy is crack/003.png, crack/003_mask.png or crack/gt/003.png. A mask of another size
    is resized to its map (nearest pixel). AUPRO is computed as MVTec defines it, and exactly.
    """
    try:
        document = measure(maps, masks, scores, missing_mask)
    except ValueError as error:
        typer.echo(f"tribank metrics: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        _show(document)


def measure(
    maps: Path, masks: Path, scores: Path | None = None, missing_mask: MissingMask = MissingMask.ERROR
) -> dict[str, Any]:
    """The document that `tribank metrics --json` prints. Raises ValueError with a message for the user."""
    from evaluation.metrics.aupro import LIMITS
    from evaluation.metrics.detection import pixel_metrics
    from evaluation.metrics.map_folder import MapPairs, match_maps
    from evaluation.metrics.score_file import read_scores

    match = match_maps(maps, masks)
    if match.unmasked and missing_mask is MissingMask.ERROR:
        raise ValueError(
            f"{masks} has no mask for {_listed(match.unmasked)}. "
            "If these are good parts, add --missing-mask good."
        )
    by_name = read_scores(scores) if scores else None
    names = [row.name for row in match.maps]
    if by_name is not None and (lacking := [name for name in names if name not in by_name]):
        raise ValueError(f"{scores} has no score for {_listed(lacking)}. Add the scores.")
    pairs = MapPairs(match.maps)
    pixels = pixel_metrics(pairs)
    document: dict[str, Any] = {
        "parts": len(names),
        "defective_parts": sum(pairs.defective),
        "defect_regions": pixels.regions,
        "pixel_auroc": pixels.pixel_auroc,
        "aupro": {str(limit): pixels.aupro[limit] for limit in LIMITS},
        "aupro_exact": {str(limit): pixels.aupro_exact[limit] for limit in LIMITS},
    }
    if by_name is not None:
        document |= _image_metrics([by_name[name] for name in names], pairs.defective)
    return document | {"notes": _notes(match, pairs, by_name)}


def _image_metrics(scores: Sequence[float], defective: Sequence[bool]) -> dict[str, Any]:
    from evaluation.metrics.detection import FALSE_REJECT_RATES, best_f1, image_auroc, recall_at

    if all(defective):
        return {"image_auroc": None, "f1_threshold": None}
    best = best_f1(scores, defective)
    points = {str(rate): recall_at(scores, defective, rate) for rate in FALSE_REJECT_RATES}
    return {
        "image_auroc": image_auroc(scores, defective),
        "f1_threshold": best.threshold,
        "f1": best.f1,
        "precision": best.precision,
        "recall": best.recall,
        "recall_at_false_reject_rate": {
            rate: {
                "recall": point.recall,
                "threshold": point.threshold,
                "false_rejects": point.false_rejects,
                "good_parts": point.goods,
            }
            for rate, point in points.items()
        },
    }


def _notes(match: MapMatch, pairs: MapPairs, by_name: dict[str, float] | None) -> list[str]:
    """Remarks on how the numbers were computed."""
    notes = []
    if match.unmasked:
        notes.append(f"without a mask and counted as good: {_listed(match.unmasked)}")
    if match.unused:
        notes.append(f"{len(match.unused)} masks have no map and were ignored, for example {match.unused[0]}")
    if pairs.resized:
        notes.append(f"{pairs.resized} masks were resized to their map (nearest pixel)")
    if pairs.vanished:
        notes.append(
            "resizing the mask removed its last defect pixel, so pixel metrics miss the defect, in "
            f"{_listed(pairs.vanished)}"
        )
    if by_name is not None and len(by_name) > len(match.maps):
        notes.append(f"{len(by_name) - len(match.maps)} scores have no map and were ignored")
    if by_name is not None and all(pairs.defective):
        notes.append("image metrics need good parts, but all parts are defective")
    return notes


def _listed(names: Sequence[str]) -> str:
    noun = "map" if len(names) == 1 else "maps"
    return f"{len(names)} {noun} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"


def _show(document: dict[str, Any]) -> None:
    table = Table(
        "metric", "value", title=f"{document['parts']} parts, {document['defective_parts']} defective"
    )
    table.columns[1].justify = "right"
    for name in ("pixel_auroc", "image_auroc", "f1_threshold", "f1", "precision", "recall"):
        if document.get(name) is not None:
            table.add_row(name.replace("_", " "), f"{document[name]:.4f}")
    for limit in document["aupro"]:
        table.add_row(f"AUPRO to {limit} (MVTec)", f"{document['aupro'][limit]:.4f}")
        table.add_row(f"AUPRO to {limit} (exact)", f"{document['aupro_exact'][limit]:.4f}")
    for rate, point in document.get("recall_at_false_reject_rate", {}).items():
        rejects = f"{point['false_rejects']} of {point['good_parts']} good parts rejected"
        table.add_row(f"recall at false-reject rate {rate} ({rejects})", f"{point['recall']:.4f}")
    console = Console()
    console.print(table)
    for note in document["notes"]:
        console.print(f"Note: {note}.", markup=False)
