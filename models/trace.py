"""Every stage of one part by name, to check fidelity to the paper and to explain rejects."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from models.extraction import point_extractor, rgb_extractor
from models.features import Patches
from models.fusion.fusion import Fusion
from models.points.extractor import PointExtractor
from models.preparation.prepare import prepare
from models.sample import Sample
from models.weights.store import WeightStore
from recipes.extraction import Extraction
from recipes.preparation import Preparation

_POINT_STAGES = ("valid_index", "fps_index", "knn_index", "group_features", "interpolated")


def trace(
    sample: Sample,
    preparation: Preparation,
    extraction: Extraction,
    weights: WeightStore,
    *,
    fusion: Fusion | None = None,
    device: str = "cpu",
) -> dict[str, NDArray[np.generic]]:
    """Compute the stages of one part that the extraction has.

    Args:
        sample: the part.
        preparation, extraction: settings.
        weights: where the networks' weights are.
        fusion: computes fused_patch; None leaves fused_patch out.
        device: where the networks run.

    Returns arrays by name: valid_index (N,), fps_index (G,), knn_index (G, K) int64; group_features (G,
    1152), interpolated (N, 1152), rgb_patch (Q, C), point_patch (P, C), fused_patch (P, C) float32. A
    handcrafted point extractor has no groups. If the groups are the patches, P is G and no features are
    interpolated.
    """
    part = prepare(sample, preparation)
    stages: dict[str, torch.Tensor] = {"valid_index": torch.from_numpy(np.flatnonzero(part.valid))}
    patches: dict[str, Patches] = {}
    if extraction.rgb is not None:
        rgb = rgb_extractor(extraction.rgb, weights, device, size=preparation.rgb_size)
        (patches["rgb"],) = rgb([part])
        stages["rgb_patch"] = patches["rgb"].rows
    if extraction.point is not None:
        points = point_extractor(extraction.point, weights, device)
        if isinstance(points, PointExtractor):
            traced = points.trace(part)
            named = ((name, getattr(traced, name)) for name in _POINT_STAGES)
            stages |= {name: stage for name, stage in named if stage is not None}
            patches["point"] = traced.patches
        else:
            (patches["point"],) = points([part])
        stages["point_patch"] = patches["point"].rows
    if fusion is not None:
        stages["fused_patch"] = fusion(patches["rgb"], patches["point"]).rows
    return {name: stage.cpu().numpy() for name, stage in stages.items()}
