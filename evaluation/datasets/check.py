"""Recognise a data set and report its content, for `tribank data check`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.datasets.collection import bank_name, list_products
from evaluation.datasets.eyecandies import CLASSES, find_classes, list_parts
from evaluation.datasets.eyecandies_conversion import EyecandiesSettings, part_gaps
from evaluation.datasets.mvtec3d import CATEGORIES
from evaluation.datasets.product_check import FEWEST_PARTS, ProductReport, check_product
from models.readers.file_names import printable
from models.readers.folder_layout import GOOD
from models.readers.product_folder import ProductFolder
from models.readers.product_places import NotAProductFolder, find_products

EYECANDIES = "Eyecandies, as unpacked"


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """kind: kind of data set. missing: official products that are missing.

    next_step: a command; "" if something has to be corrected first.
    """

    kind: str
    products: tuple[ProductReport, ...]
    missing: tuple[str, ...]
    next_step: str


def check_dataset(
    path: Path, deep: bool = False, progress: Callable[[int, int], None] = lambda done, total: None
) -> DatasetReport:
    """Check a folder. deep: read every part completely.

    progress: called with the number of parts that are read, and the number of all parts, if `deep`.

    Raises ValueError or NotAProductFolder for an unknown data set. The message says what was expected.
    """
    if not path.is_dir():
        raise NotAProductFolder(f"{path} is not a folder.")
    if classes := find_classes(path):
        return _eyecandies(path, classes)
    products = list_products(path)
    total = sum(len([*folder.train, *folder.validation, *folder.test]) for folder in products.values())
    reports: list[ProductReport] = []
    for name, folder in products.items():
        before = sum(report.parts for report in reports)
        reports.append(
            check_product(name, folder, deep, lambda done, _, before=before: progress(before + done, total))
        )
    official = [name for name in CATEGORIES if name in products]
    archive = len(official) > 1 or (bool(official) and "" not in find_products(path).roots)
    return DatasetReport(
        kind="MVTec 3D-AD" if archive else "product folders" if len(products) > 1 else "a product folder",
        products=tuple(reports),
        missing=tuple(name for name in CATEGORIES if name not in products) if archive else (),
        next_step=_next_step(path, products),
    )


def _next_step(path: Path, products: Mapping[str, ProductFolder]) -> str:
    """The command for the folder: evaluate where good and defective parts can be told apart, else build."""
    quoted = shlex.quote(printable(path))
    for folder in products.values():
        defective = [part for part in folder.test if part.defect != GOOD]
        if defective and len(folder.train) > (folder.layout == "good"):
            return f"tribank evaluate {quoted}{_profile(products)}"
    (name, folder), *others = products.items()
    if len(folder.train) < FEWEST_PARTS:
        return ""
    if others:
        return f"tribank build NAME {quoted}/NAME{_profile(products)}"
    return f"tribank build {bank_name(name)} {quoted}{_profile(products)}"


def _profile(products: Mapping[str, ProductFolder]) -> str:
    """The option for parts without clouds or without images, which the default profile refuses."""
    folders = products.values()
    if not any(folder.has_clouds for folder in folders):
        return " --profile embedded-rgb"
    parts = [part for folder in folders for part in (*folder.train, *folder.validation, *folder.test)]
    if not any({"rgb", "sample"} & part.files.keys() for part in parts):
        return " --profile embedded-point"
    return ""


def _eyecandies(path: Path, classes: dict[str, Path]) -> DatasetReport:
    whole = not any(folder.samefile(path) for folder in classes.values())
    reports = []
    for name, folder in classes.items():
        splits = [part.split for part in list_parts(folder)]
        counts = {split: splits.count(split) for split in dict.fromkeys(splits)}
        private = (folder / "test_private").is_dir()
        reports.append(
            ProductReport(
                name,
                counts,
                ("rgb", "depth"),
                tuple(part_gaps(folder, EyecandiesSettings())),
                ("test_private: cannot be used for evaluation, because it has no masks.",) if private else (),
            )
        )
    return DatasetReport(
        kind=EYECANDIES,
        products=tuple(reports),
        missing=tuple(name for name in CLASSES if name not in classes) if whole else (),
        next_step=f"tribank data convert eyecandies {shlex.quote(printable(path))} OUT",
    )
