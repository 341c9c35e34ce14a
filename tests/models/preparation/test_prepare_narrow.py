"""Long and narrow parts: the square around them would not fit into memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from models.preparation import prepare
from models.preparation.prepare import Frame


@pytest.mark.parametrize(("height", "width"), [(40, 900), (900, 40), (333, 400)])
@pytest.mark.parametrize("size", [28, 224])
def test_bands_of_rows_make_pils_bicubic_of_the_square(
    monkeypatch: pytest.MonkeyPatch, height: int, width: int, size: int
) -> None:
    monkeypatch.setattr(prepare, "_BAND", 50_000)
    source = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    for side in (900, 500):
        frame = Frame(height, width, (side - height) // 2, (side - width) // 2, side)
        square = Image.fromarray(frame.square(source)).resize((size, size), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(frame.resized(source, size), np.asarray(square))


def test_the_square_of_a_narrow_part_is_not_made() -> None:
    """It would take 192 MB, and the more the longer the part is: 3 GB at 32,000 pixels."""
    source = np.full((200, 8000, 3), 128, np.uint8)
    tracemalloc.start()
    Frame(200, 8000, 3900, 0, 8000).resized(source, 28)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50e6
