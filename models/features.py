"""What extraction makes of a part: patch vectors for each bank, and where the patches lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from models.layout import Layout

Rows: TypeAlias = NDArray[np.float32] | torch.Tensor
"""(n, C) float32 patch vectors, on any device."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Patch vectors of one part for one bank.

    rows: (n, C) float32 on the extractor's device.
    layout: n places on the image plane, in the same order.
    """

    rows: torch.Tensor
    layout: Layout


PartFeatures: TypeAlias = Mapping[str, Patches]
"""Patches of one part by bank name."""
