"""`tribank report`: which cases it shows, its pictures, and a page that asks nobody for anything."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from banks.decision.odd_parts import OddPart
from banks.detector import Detector
from cli.main import app
from evaluation.product_evaluation import score_parts
from evaluation.report.cases import chosen_cases
from evaluation.report.odd_parts import shown_parts
from evaluation.report.page import make_report
from evaluation.report.svg import COLOURS, Plot
from models.readers.product_folder import PartFile, open_product_folder
from tests.conftest import SMALL


@dataclass
class _Part:
    """What `chosen_cases` asks of a scored part."""

    part: PartFile
    value: float
    result: Any = field(default=None)

    def score(self, column: str) -> float:
        assert column == "final"
        return self.value


def _parts(defect: str, values: list[float]) -> list[Any]:
    return [
        _Part(PartFile(f"test/{defect}/{i}", "test", defect, {}), value) for i, value in enumerate(values)
    ]


def test_best_median_and_worst_of_every_family() -> None:
    parts = (
        _parts("dent", [3, 1]) + _parts("bump", [2, 5, 4]) + _parts("good", [0.5]) + _parts("stain", [9, 7])
    )
    cases = chosen_cases(parts, {"dent": "shape", "bump": "shape"})
    assert [(case.family, case.rank, case.scored.score("final")) for case in cases] == [
        ("good", "best", 0.5),
        ("shape", "best", 5),
        ("shape", "median", 3),
        ("shape", "worst", 1),
        ("stain", "best", 9),
        ("stain", "worst", 7),
    ]


def test_plots_are_well_formed() -> None:
    plot = Plot("A < B", "x", "y", (0, 1), (0, 0))
    plot.line("many", np.linspace(0, 1, 5000).tolist(), np.zeros(5000).tolist(), COLOURS[0])
    plot.bars("bars", [0, 0.5, 1], [1, 2], COLOURS[1])
    plot.upright("here", 0.5, COLOURS[2])
    text = plot.svg()
    ElementTree.fromstring(text)
    assert len(text) < 12_000


def test_a_report_is_one_page_without_requests_and_a_sheet(few_parts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["report", str(few_parts), "--out", str(out)]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    index, page, sheet, facts = map(Path, result.stdout.split())
    text = page.read_text()
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in text
    banks = [f"{bank} bank" for bank in ("rgb", "relief", "colour", "fused")]
    for title in ("RGB", "depth", "ground truth", *banks, "final"):
        assert f"<figcaption>{title}</figcaption>" in text
    assert text.count("<svg") == 4
    assert "held-out good parts" in text
    assert page.name in index.read_text()
    with Image.open(sheet) as picture:
        assert picture.width > 7 * 224
    assert json.loads(facts.read_text())["odd_parts"] == []
    assert "Odd good parts" not in text


def test_a_product_that_cannot_be_shown_stops_no_other_and_a_link_leads_to_any_name(
    few_parts: Path, tmp_path: Path
) -> None:
    name, out = "part #4, 50%", tmp_path / "out"
    shutil.copytree(few_parts, tmp_path / "all" / name)
    shutil.copytree(few_parts / "train", tmp_path / "all" / "a" / "train")
    shutil.copytree(few_parts / "train", tmp_path / "all" / "b" / "train")
    broken = tmp_path / "all" / "b" / "test" / "good"
    for kind, suffix in (("rgb", "png"), ("xyz", "tiff")):
        (broken / kind).mkdir(parents=True)
        (broken / kind / f"000.{suffix}").write_bytes(b"neither")
    result = CliRunner().invoke(app, ["report", str(tmp_path / "all"), "--out", str(out)])
    assert result.exit_code == 1
    index, page = map(Path, result.stdout.splitlines()[:2])
    links = re.findall(r'href="([^"]+)"', index.read_text())
    assert [index.with_name(unquote(urlsplit(link).path)) for link in links] == [page]
    assert re.findall("Not shown: (.)", result.stderr) == ["a", "b"]


def test_odd_good_parts_are_shown_and_listed_as_data(small_product: Path, small_banks: Path) -> None:
    folder = open_product_folder(small_product)
    files = folder.train
    detector = Detector.load(small_banks / SMALL / "v1", check_probe=False)
    odd = tuple(OddPart(part, 9.0, 9.0) for part in [*(file.name for file in files[:2]), "train/good/gone"])
    detector.calibration = replace(detector.calibration, odd=odd)
    scores = score_parts(detector, folder.test[:1], lambda done, total: None)
    shown = shown_parts(detector, files)
    assert [list(part.pictures) for part in shown] == [["RGB", "depth"], ["RGB", "depth"], []]
    made = make_report(SMALL, detector, scores, {}, "facts", shown)
    assert [part["part"] for part in made.facts["odd_parts"]] == [part.name for part in odd]
    section = made.html[made.html.index("<h2>Odd good parts") : made.html.index("<table>")]
    assert section.count("<img") == 4
    assert all(f"<h3>{part.name}, score 9</h3>" in section for part in odd)
