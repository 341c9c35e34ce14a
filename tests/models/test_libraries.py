from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path

import pytest

from models.libraries import importing
from tests.models.test_torchvision_schemas import run


def test_timm_and_open3d_come_without_a_compiler_and_a_viewer_that_can_come_later() -> None:
    """What is imported must not have been imported before, so this needs a fresh process."""
    output = run(
        "import sys\n"
        "import evaluation.demo_parts.writer\n"
        "print('torch' in sys.modules)\n"  # each process that renders parts would wait for it
        "import cli.main, service.server, banks.detector\n"
        "from tests.faults.warm import default_networks\n"
        "networks = default_networks()\n"
        "from evaluation.bench.floors import network_operations\n"
        "from recipes.rgb import RgbChoice\n"
        "assert network_operations(RgbChoice('efficientnet_lite1', stages=(1, 2, 3)), 224) > 0\n"
        "unwanted = ('torch._dynamo', 'dash', 'plotly', 'sklearn', 'openvino_telemetry')\n"
        "print([name for name in unwanted if name in sys.modules], 'openvino' in sys.modules)\n"
        "import torch, plotly.graph_objects\n"
        "assert plotly.graph_objects.Figure().data == ()\n"
        "weight = torch.nn.Parameter(torch.ones(1))\n"
        "torch.optim.SGD([weight], lr=0.1)\n"  # loads the compiler, to stay out of its way
        "print('torch._dynamo.convert_frame' in sys.modules, torch.compiler.is_compiling())\n"
        "from models.torchvision_schemas import declare_torchvision_schemas as declare\n"
        "declared = torch.ops.torchvision\n"
        "print(declare() == declare(), hasattr(declared, 'nms'), hasattr(declared, 'qnms'))"
    )
    assert output.splitlines() == ["False", "[] True", "True False", "True True True"]


def test_no_collection_looks_at_what_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "never_imported_before.py").write_text("kept = [[] for _ in range(1000)]")
    monkeypatch.syspath_prepend(tmp_path)
    before = gc.get_freeze_count()
    with importing():
        assert not gc.isenabled()
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, before), "nothing was imported"
    with importing():
        import_module("never_imported_before")
    assert gc.isenabled()
    assert gc.get_freeze_count() > before + 1000
