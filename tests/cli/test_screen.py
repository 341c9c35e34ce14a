"""A folder of good parts is screened before it is learned."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app


@pytest.fixture
def product(small_product: Path, tmp_path: Path) -> Path:
    """Five training parts and two validation parts; a validation part has a blue spot."""
    product = tmp_path / "product"
    shutil.copytree(small_product, product)
    spotted = product / "validation" / "good" / "rgb" / "001.png"
    image = np.asarray(Image.open(spotted)).copy()
    image[180:220, 180:220] = (20, 40, 200)
    Image.fromarray(image).save(spotted)
    return product


def test_the_part_that_is_not_like_the_others_is_found(product: Path) -> None:
    result = CliRunner().invoke(app, ["data", "screen", str(product), "--json"])
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)
    assert (found["parts"], [part["part"] for part in found["odd_parts"]]) == (7, ["validation/good/001"])
    assert found["odd_parts"][0]["score"] > found["others_at_most"]
    shutil.rmtree(product / "validation")
    for image in ("003.png", "004.png"):
        (product / "train" / "good" / "rgb" / image).unlink()
    result = CliRunner().invoke(app, ["data", "screen", str(product)])
    assert result.exit_code == 0, result.output
    assert "0 of 3 good parts" in result.stdout
