"""What a part becomes: patch vectors for each memory bank, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch

from models.layout import Layout


@dataclass(frozen=True, slots=True)
class Patches:
    """Patch vectors of one part for one bank.

    rows: (n, C) float32 on the extractor's device. layout: of n places on the image plane, in the same order.
    """

    rows: torch.Tensor
    layout: Layout


PartFeatures: TypeAlias = Mapping[str, Patches]
"""Patches of one part by bank name."""
