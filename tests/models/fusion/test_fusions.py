"""Fusions keep the grids aligned and survive being saved."""

from __future__ import annotations

import pytest
import torch

from models.features import Patches
from models.fusion.fusions import LOADERS, Concat, Fusion, ScaledConcat
from models.layout import GridLayout
from recipes.fusion import FusionKind


def _pair(seed: int) -> tuple[Patches, Patches]:
    random = torch.Generator().manual_seed(seed)
    rgb = Patches(torch.randn(784, 5, generator=random), GridLayout(28))
    return rgb, Patches(100 + 50 * torch.randn(3136, 3, generator=random), GridLayout(56))


FITTED: dict[FusionKind, Fusion] = {
    "concat": Concat(),
    "scaled_concat": ScaledConcat.fit([_pair(0), _pair(1)]),
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
    again = LOADERS[name](fusion.state(), "cpu")
    assert torch.equal(again(rgb, point).rows, fusion(rgb, point).rows)


def test_both_modalities_weigh_the_same() -> None:
    fusion = ScaledConcat.fit([_pair(seed) for seed in range(4)])
    rows = torch.cat([fusion(*_pair(seed)).rows for seed in range(4, 8)])
    point, rgb = rows[:, :3].var(dim=0).sum(), rows[:, 3:].var(dim=0).sum()
    assert point == pytest.approx(1, rel=0.05)
    assert rgb == pytest.approx(1, rel=0.05)


def test_a_modality_that_never_varies_is_left_as_it_is() -> None:
    flat = Patches(torch.ones(784, 2), GridLayout(28))
    fusion = ScaledConcat.fit([(flat, _pair(0)[1])])
    assert fusion.rgb_scale == 1
