"""The supplement's tables I to XII, as printed.

`published.json` has one row per method. Each row says where it was read: our copy of the text is damaged in
some places, so some rows were reconstructed or copied from another table with the same setting.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Dataset = Literal["mvtec3d", "eyecandies"]
Metric = Literal["image_auroc", "pixel_auroc", "aupro_0.3"]
TableModality = Literal["3D", "RGB", "RGB+3D"]


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """The row of one method.

    Attributes:
        key: our name of the setting. The same setting has the same key in every table.
        label: as printed.
        modality: as printed.
        values: fractions per class, in the dataset's class order; None if not printed.
        mean: as printed; None if unreadable.
        provenance: where the numbers were read.
        gap: why a value is None.
        misprint: how the printed mean differs from its classes; "" if it does not.
    """

    key: str
    label: str
    modality: TableModality
    values: tuple[float | None, ...]
    mean: float | None
    provenance: str
    gap: str = ""
    misprint: str = ""

    @property
    def class_mean(self) -> float | None:
        """Unrounded mean of the printed classes; None if a class is not printed."""
        known = [value for value in self.values if value is not None]
        return sum(known) / len(known) if len(known) == len(self.values) else None

    @property
    def best_mean(self) -> float | None:
        """The printed mean, or the mean of the classes if the printed mean is unreadable."""
        return self.class_mean if self.mean is None else self.mean


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table. number: the supplement's Roman numeral. classes: names for the `values` of each row."""

    number: str
    title: str
    dataset: Dataset
    metric: Metric
    classes: tuple[str, ...]
    rows: tuple[PublishedRow, ...]

    def row(self, key: str, modality: TableModality | None = None) -> PublishedRow:
        """The row of a setting. Raises KeyError with the existing keys."""
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
