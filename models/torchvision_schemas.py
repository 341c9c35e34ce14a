"""Make `import timm` work if torchvision's compiled part does not load.

timm imports torchvision. On import, torchvision declares fake kernels for two operators of its compiled part.
With a CPU-only torch from another index, the compiled part does not load, and the import fails with "operator
torchvision::nms does not exist". Tribank calls neither operator, so it is enough to declare their schemas.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""Copied from torchvision's C++ code (torchvision/csrc/ops/nms.cpp, quantized/cpu/qnms_kernel.cpp)."""

_declared: list[torch.library.Library] = []
"""Keeps the library objects alive, because their operators vanish with them."""


def declare_torchvision_schemas() -> bool:
    """Declare torchvision::nms and ::qnms unless torchvision's compiled part provides them.

    Call this function before the first import of torchvision or timm. A second call does nothing. Returns
    whether the declared schemas replace the compiled part.
    """
    if _declared:
        return True
    if hasattr(torch.ops.torchvision, "nms") or _compiled_part_loads():
        return False
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in SCHEMAS:
        library.define(schema)
    _declared.append(library)
    return True


def _compiled_part_loads() -> bool:
    """Whether torchvision's `_C` loads with this torch. The import of torchvision would load it anyway."""
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for compiled in sorted(Path(spec.origin).parent.glob("_C*.so")):
        try:
            torch.ops.load_library(str(compiled))
        except OSError:
            continue
        return True
    return False
