from __future__ import annotations

import re
from pathlib import Path

import pytest

from evaluation.datasets.mvtec3d import CATEGORIES, count_findings, size_findings
from models.readers.folder_layout import Split
from models.readers.product_folder import PartFile, ProductFolder


def parts(count: int, split: Split, defect: str = "good") -> tuple[PartFile, ...]:
    return tuple(
        PartFile(f"{split}/{defect}/{i}", split, defect, {"rgb": Path("a"), "xyz": Path("b")})
        for i in range(count)
    )


def test_the_table_adds_up_to_the_published_totals():
    columns = zip(*((c.train, c.validation, c.test_good, c.test_defective, c.defect_types, c.regions)
                    for c in CATEGORIES.values()), strict=True)  # fmt: skip
    assert [sum(column) for column in columns] == [2656, 294, 249, 948, 41, 1148]


def test_official_counts_have_no_findings():
    test = (
        parts(32, "test")
        + parts(20, "test", "cut")
        + parts(24, "test", "open")
        + parts(25, "test", "contamination")
    )
    folder = ProductFolder(parts(298, "train"), parts(33, "validation"), test, ())
    assert list(count_findings("rope", folder)) == []
    assert list(count_findings("valve", folder)) == []


def test_every_other_count_is_named():
    folder = ProductFolder(parts(297, "train"), parts(33, "validation"), parts(32, "test"), ())
    findings = list(count_findings("rope", folder))
    assert [re.findall(r"\d+", finding) for finding in findings] == [["297", "298"], ["0", "69"], ["0", "3"]]
    assert findings[0].startswith("297 training parts")


@pytest.mark.parametrize(
    ("name", "image", "cloud", "finding"),
    [
        ("rope", (900, 400), (900, 400), None),
        ("rope", (400, 900), (400, 900), None),
        ("rope", None, (900, 400), None),
        ("valve", (10, 20), (10, 20), None),
        ("rope", (900, 900), (900, 900), "padded to a square"),
        ("rope", (900, 400), (900, 900), "saves only the cloud"),
        ("valve", (900, 400), (400, 900), "registration"),
        ("bagel", (224, 224), (224, 224), "800 x 800"),
    ],
)
def test_sizes_tell_of_earlier_preprocessing(name, image, cloud, finding):
    found = list(size_findings(name, image, cloud))
    assert len(found) == (finding is not None)
    assert all(finding in sentence for sentence in found)
