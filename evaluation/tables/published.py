"""The supplement's tables I to XII, as printed: what our own numbers stand beside.

They live in `published.json`, one row a method, each saying where it was read: the text at hand is torn in
places, so some rows were put together again or taken from another table that prints the same setting.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Dataset = Literal["mvtec3d", "eyecandies"]
Metric = Literal["image_auroc", "pixel_auroc", "aupro_0.3"]
Modality = Literal["3D", "RGB", "RGB+3D"]


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One method's row.

    key: our name of the setting; the same setting has the same key in every table. label: as printed.
    values: per class, in the dataset's class order, a fraction; None where not printed. mean: as printed;
    None where lost. provenance: where the numbers were read. gap: why something is None.
    misprint: what is odd about the printed mean; "" for a mean that its classes bear out.
    """

    key: str
    label: str
    modality: Modality
    values: tuple[float | None, ...]
    mean: float | None
    provenance: str
    gap: str = ""
    misprint: str = ""

    @property
    def class_mean(self) -> float | None:
        """Mean of the printed classes, unrounded; None if a class is not printed."""
        known = [value for value in self.values if value is not None]
        return sum(known) / len(known) if len(known) == len(self.values) else None

    @property
    def best_mean(self) -> float | None:
        """The printed mean, or the classes' own where that is lost."""
        return self.class_mean if self.mean is None else self.mean


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table. number: the supplement's Roman numeral. classes: what `values` of each row stand for."""

    number: str
    title: str
    dataset: Dataset
    metric: Metric
    classes: tuple[str, ...]
    rows: tuple[PublishedRow, ...]

    def row(self, key: str, modality: Modality | None = None) -> PublishedRow:
        """The row of this setting. Raises KeyError naming the rows there are."""
        for row in self.rows:
            if row.key == key and modality in (None, row.modality):
                return row
        raise KeyError(f"table {self.number} has no row {key!r}; it has {[row.key for row in self.rows]}")


@cache
def published_tables() -> dict[str, PublishedTable]:
    """All tables by number, "I" to "XII", in order."""
    text = resources.files("evaluation.tables").joinpath("published.json").read_text(encoding="utf-8")
    document = json.loads(text)
    misprints: dict[str, str] = document["misprinted_means"]
    tables = {}
    for number, table in document["tables"].items():
        rows = [
            PublishedRow(
                **row | {"values": tuple(row["values"])}, misprint=misprints.get(f"{number} {row['key']}", "")
            )
            for row in table["rows"]
        ]
        classes = tuple(document["classes"][table["dataset"]])
        tables[number] = PublishedTable(number=number, classes=classes, **table | {"rows": tuple(rows)})
    return tables
