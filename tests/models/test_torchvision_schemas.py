"""The schemas must be declared before anything imports torchvision, so the test needs a fresh process. That
they are declared before timm is imported is in tests/models/test_libraries.py."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    code += "\nimport gc; gc.freeze()"  # as at the end of a command: tribank.py
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_declares_nothing_where_the_compiled_part_loads() -> None:
    """A compiled part that loads must keep its own operators: here one stands in for it."""
    output = run(
        "import torch\n"
        "compiled = torch.library.Library('torchvision', 'DEF')\n"
        "compiled.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "from models.torchvision_schemas import declare_torchvision_schemas as declare\n"
        "print(declare(), hasattr(torch.ops.torchvision, 'qnms'))"
    )
    assert output == "False False"
