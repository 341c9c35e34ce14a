"""How exactly a device computes: decided here, once, for the whole process.

Importing this module settles it, before any network is made.
"""

from __future__ import annotations

import torch


def settle() -> None:
    """Full float32 everywhere: TF32 on a GPU would move convolutions and products by 1e-3."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


settle()
