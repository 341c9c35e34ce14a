"""Fusions keep the grids aligned and survive being saved."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
import torch

from models.features import PartFeatures, Patches
from models.fusion.concat import Concat
from models.fusion.fusion import Fusion, FusionTask
from models.fusion.registry import FUSIONS
from models.fusion.scaled_concat import ScaledConcat
from models.fusion.scaled_relief import ScaledRelief
from models.layout import GridLayout
from models.weights.store import MissingWeights, WeightStore
from recipes.fusion import FusionKind, FusionTraining

OneFusion = TypeVar("OneFusion", bound=Fusion)
CHANNELS = {"rgb": 5, "point": 3, "relief": 12}


def _features(seed: int, point_side: int = 56) -> PartFeatures:
    random = torch.Generator().manual_seed(seed)
    rgb = torch.randn(784, CHANNELS["rgb"], generator=random)
    point = 100 + 50 * torch.randn(point_side**2, CHANNELS["point"], generator=random)
    relief = 0.1 * torch.randn(3136, CHANNELS["relief"], generator=random)
    return {
        "rgb": Patches(rgb, GridLayout(28)),
        "point": Patches(point, GridLayout(point_side)),
        "relief": Patches(relief, GridLayout(56)),
    }


def _fitted(kind: type[OneFusion], *parts: PartFeatures) -> OneFusion:
    folder = Path("nowhere")
    task = FusionTask(parts, folder, WeightStore(folder), FusionTraining(), "cpu", lambda *_: None)
    return kind.fit(task)


ON_POINT_GRID: dict[FusionKind, Fusion] = {
    "concat": Concat(),
    "scaled_concat": _fitted(ScaledConcat, _features(0), _features(1)),
}


@pytest.mark.parametrize("name", ON_POINT_GRID)
def test_every_point_patch_meets_the_rgb_patch_that_covers_it(name: FusionKind) -> None:
    fusion, features = ON_POINT_GRID[name], _features(2)
    cell = torch.arange(784, dtype=torch.float32)[:, None].expand(784, 5).contiguous()
    scale = getattr(fusion, "rgb_scale", torch.tensor(1.0))
    fused = fusion({**features, "rgb": Patches(cell, GridLayout(28))})
    assert fused.rows.shape == (3136, 8)
    got = (fused.rows[:, 3] / scale).round().reshape(56, 56)
    rows, columns = torch.meshgrid(torch.arange(56), torch.arange(56), indexing="ij")
    assert torch.equal(got, (28 * (rows // 2) + columns // 2).float())
    again = FUSIONS[name].from_state(fusion.state(), "cpu")
    assert torch.equal(again(features).rows, fusion(features).rows)


@pytest.mark.parametrize("point_side", [28, 56])
def test_every_rgb_patch_meets_the_mean_of_the_finer_patches_that_it_covers(point_side: int) -> None:
    features = _features(2, point_side)
    fusion = _fitted(ScaledRelief, _features(0, point_side), _features(1, point_side))
    fused = fusion(features)
    assert fused.layout == GridLayout(28)
    assert fused.rows.shape == (784, 20)
    for bank, channels in (("point", slice(0, 3)), ("relief", slice(3, 15)), ("rgb", slice(15, 20))):
        side = features[bank].layout.side
        assert side is not None
        grid = features[bank].rows.reshape(28, side // 28, 28, side // 28, -1)
        expected = grid[3, :, 5].mean(dim=(0, 1)) * fusion.factors[bank]
        torch.testing.assert_close(fused.rows[3 * 28 + 5, channels], expected)
    again = ScaledRelief.from_state(fusion.state(), "cpu")
    assert torch.equal(again(features).rows, fused.rows)


def test_patches_that_do_not_divide_into_the_rgb_grid_are_refused() -> None:
    features = _features(0)
    fusion = ScaledRelief.placeholder(features, "cpu")
    with pytest.raises(ValueError, match="40 x 40 patches do not divide"):
        fusion({**features, "relief": Patches(torch.zeros(1600, 12), GridLayout(40))})


def test_both_modalities_weigh_the_same() -> None:
    fusion = _fitted(ScaledConcat, *(_features(seed) for seed in range(4)))
    rows = torch.cat([fusion(_features(seed)).rows for seed in range(4, 8)])
    point, rgb = rows[:, :3].var(dim=0).sum(), rows[:, 3:].var(dim=0).sum()
    assert point == pytest.approx(1, rel=0.05)
    assert rgb == pytest.approx(1, rel=0.05)


def test_the_surface_weighs_as_much_as_the_image() -> None:
    def coarse(seed: int) -> PartFeatures:
        features = _features(seed, 28)
        return {**features, "relief": Patches(features["relief"].rows[:784], GridLayout(28))}

    fusion = _fitted(ScaledRelief, *(coarse(seed) for seed in range(4)))
    rows = torch.cat([fusion(coarse(seed)).rows for seed in range(4, 8)])
    point, relief, rgb = (some.var(dim=0).sum() for some in rows.split([3, 12, 5], dim=1))
    assert point == pytest.approx(0.5, rel=0.05)
    assert relief == pytest.approx(0.5, rel=0.05)
    assert rgb == pytest.approx(1, rel=0.05)


def test_a_modality_that_never_varies_is_left_as_it_is() -> None:
    flat = Patches(torch.ones(784, 2), GridLayout(28))
    fusion = _fitted(ScaledConcat, {**_features(0), "rgb": flat})
    assert fusion.rgb_scale == 1


@pytest.mark.parametrize("name", FUSIONS)
def test_a_placeholder_makes_patches_of_the_fitted_size(name: FusionKind) -> None:
    features = _features(0)
    placeholder = FUSIONS[name].placeholder(features, "cpu")
    fused = placeholder(features)
    assert fused.rows.shape == ((784, 20) if name == "scaled_relief" else (3136, 8))
    again = FUSIONS[name].from_state(placeholder.state(), "cpu")
    assert torch.equal(again(features).rows, fused.rows)


def test_only_fusions_that_need_no_parts_are_ready(tmp_path: Path) -> None:
    weights = WeightStore(tmp_path)
    assert isinstance(FUSIONS["concat"].ready(weights, "cpu"), Concat)
    assert FUSIONS["scaled_concat"].ready(weights, "cpu") is None
    assert FUSIONS["scaled_relief"].ready(weights, "cpu") is None
    assert FUSIONS["uff_trained"].ready(weights, "cpu") is None
    with pytest.raises(MissingWeights):
        FUSIONS["uff"].ready(weights, "cpu")
