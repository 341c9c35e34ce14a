"""Fusions keep the grids aligned and survive being saved."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.features import Patches
from models.fusion.concat import Concat
from models.fusion.fusion import Fusion, FusionTask
from models.fusion.registry import FUSIONS
from models.fusion.scaled_concat import ScaledConcat
from models.layout import GridLayout
from models.weights.store import MissingWeights, WeightStore
from recipes.fusion import FusionKind, FusionTraining


def _pair(seed: int) -> tuple[Patches, Patches]:
    random = torch.Generator().manual_seed(seed)
    rgb = Patches(torch.randn(784, 5, generator=random), GridLayout(28))
    return rgb, Patches(100 + 50 * torch.randn(3136, 3, generator=random), GridLayout(56))


def _scaled(*pairs: tuple[Patches, Patches]) -> ScaledConcat:
    folder = Path("nowhere")
    task = FusionTask(pairs, folder, WeightStore(folder), FusionTraining(), "cpu", lambda *_: None)
    return ScaledConcat.fit(task)


FITTED: dict[FusionKind, Fusion] = {
    "concat": Concat(),
    "scaled_concat": _scaled(_pair(0), _pair(1)),
}


@pytest.mark.parametrize("name", FITTED)
def test_every_point_patch_meets_the_rgb_patch_that_covers_it(name: FusionKind) -> None:
    fusion = FITTED[name]
    rgb, point = _pair(2)
    cell = torch.arange(784, dtype=torch.float32)[:, None].expand(784, 5).contiguous()
    scale = getattr(fusion, "rgb_scale", torch.tensor(1.0))
    fused = fusion(Patches(cell, GridLayout(28)), point)
    assert fused.rows.shape == (3136, 8)
    got = (fused.rows[:, 3] / scale).round().reshape(56, 56)
    rows, columns = torch.meshgrid(torch.arange(56), torch.arange(56), indexing="ij")
    assert torch.equal(got, (28 * (rows // 2) + columns // 2).float())
    again = FUSIONS[name].from_state(fusion.state(), "cpu")
    assert torch.equal(again(rgb, point).rows, fusion(rgb, point).rows)


def test_both_modalities_weigh_the_same() -> None:
    fusion = _scaled(*(_pair(seed) for seed in range(4)))
    rows = torch.cat([fusion(*_pair(seed)).rows for seed in range(4, 8)])
    point, rgb = rows[:, :3].var(dim=0).sum(), rows[:, 3:].var(dim=0).sum()
    assert point == pytest.approx(1, rel=0.05)
    assert rgb == pytest.approx(1, rel=0.05)


def test_a_modality_that_never_varies_is_left_as_it_is() -> None:
    flat = Patches(torch.ones(784, 2), GridLayout(28))
    fusion = _scaled((flat, _pair(0)[1]))
    assert fusion.rgb_scale == 1


@pytest.mark.parametrize("name", FUSIONS)
def test_a_placeholder_makes_patches_of_the_fitted_width(name: FusionKind) -> None:
    placeholder = FUSIONS[name].placeholder(5, 3, "cpu")
    fused = placeholder(*_pair(0))
    assert fused.rows.shape == (3136, 8)
    again = FUSIONS[name].from_state(placeholder.state(), "cpu")
    assert torch.equal(again(*_pair(0)).rows, fused.rows)


def test_only_fusions_that_need_no_parts_are_ready(tmp_path: Path) -> None:
    weights = WeightStore(tmp_path)
    assert isinstance(FUSIONS["concat"].ready(weights, "cpu"), Concat)
    assert FUSIONS["scaled_concat"].ready(weights, "cpu") is None
    assert FUSIONS["uff_trained"].ready(weights, "cpu") is None
    with pytest.raises(MissingWeights):
        FUSIONS["uff"].ready(weights, "cpu")
