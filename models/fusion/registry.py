"""Every fusion by its name in a profile."""

from __future__ import annotations

from collections.abc import Mapping

from models.fusion.concat import Concat
from models.fusion.fusion import Fusion
from models.fusion.scaled_concat import ScaledConcat
from models.fusion.trained_uff import TrainedUff
from models.fusion.uff import Uff
from recipes.fusion import FusionKind

FUSIONS: Mapping[FusionKind, type[Fusion]] = {
    "concat": Concat,
    "scaled_concat": ScaledConcat,
    "uff": Uff,
    "uff_trained": TrainedUff,
}
"""The one place that resolves the name of a fusion."""
