"""Let `import timm` work where torchvision's compiled part does not load.

timm imports torchvision, and torchvision declares fake kernels for two operators of its compiled part as it
is imported. Beside a CPU-only torch from another index that part does not load, so the import dies with
"operator torchvision::nms does not exist". Tribank calls neither operator; declaring their schemas is enough.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""As torchvision's own C++ declares them (torchvision/csrc/ops/nms.cpp, quantized/cpu/qnms_kernel.cpp)."""

_declared: list[torch.library.Library] = []
"""A library's operators live as long as the object does."""


def declare_torchvision_schemas() -> bool:
    """Declare torchvision::nms and ::qnms unless torchvision's compiled part provides them.

    Call before the first import of torchvision or timm; calling again does nothing. Returns whether the
    declared schemas stand in for the compiled part.
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
    """Whether torchvision's `_C` loads beside this torch; loading it here is what its own import would do."""
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
