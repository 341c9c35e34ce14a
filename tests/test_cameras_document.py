"""The program of docs/cameras.md, run on a buffer as a camera hands it over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from models.readers import read_part

PAGE = Path(__file__).parents[1] / "docs" / "cameras.md"


def test_the_program_makes_a_part_of_a_buffer() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(program, str(PAGE), "exec"), names)
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    millimetres = rng.uniform(-50, 900, rgb.shape).astype(np.float32)
    millimetres[3, 4] = np.nan
    part = read_part({"sample": names["npz_of"](millimetres.ravel(), rgb)})
    np.testing.assert_array_equal(part.rgb, rgb)
    np.testing.assert_allclose(part.xyz[part.valid], millimetres[part.valid] / 1000, rtol=1e-6)
    assert not part.valid[3, 4]
    assert part.valid.sum() == 48 * 64 - 1
