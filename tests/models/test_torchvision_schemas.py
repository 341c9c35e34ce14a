"""The schemas must be declared before anything imports torchvision, so each test needs a fresh process."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_timm_imports_after_declaring() -> None:
    output = run(
        "from models.torchvision_schemas import declare_torchvision_schemas as declare\n"
        "first = declare()\n"
        "import timm, torch\n"
        "declared = torch.ops.torchvision\n"
        "print(first == declare(), hasattr(declared, 'nms'), hasattr(declared, 'qnms'))"
    )
    assert output == "True True True"


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
