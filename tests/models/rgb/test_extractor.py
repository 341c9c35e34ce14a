"""RGB patch features: the promises to the detector, and every kind of backbone.

The golden rows: tests/banks/test_golden_banks.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from models.layout import GridLayout
from models.preparation.prepare import PreparedPart
from models.rgb.backbones import rgb_backbone, timm
from models.rgb.coloured import ColouredExtractor
from models.rgb.extractor import RgbExtractor, unfilled_network
from models.rgb.patch_colour import patch_colour
from models.unfilled import unfilled
from models.weights.store import WeightStore
from recipes.backbones import BACKBONES, IMAGENET
from tests.conftest import MadeOnce
from tests.golden_inputs import link_weights

GoldenPart = Callable[[int], PreparedPart]


@pytest.fixture
def filled(recipe: ModuleType, made_once: MadeOnce, tmp_path: Path) -> Callable[[str], WeightStore]:
    """A store that holds `name` with the recipe's weights, seed 7."""

    def fill(name: str) -> WeightStore:
        link_weights(recipe, made_once, tmp_path, [name], 7)
        return WeightStore(tmp_path)

    return fill


@cache
def packaged(name: str, size: int = 224) -> RgbExtractor:
    """The extractor of weights that come as a package, compiled once for all tests."""
    return RgbExtractor.load(name, WeightStore(), size=size)


def at_size(part: PreparedPart, size: int) -> PreparedPart:
    image = Image.fromarray(part.rgb).resize((size, size), Image.Resampling.BICUBIC)
    return replace(part, image=np.asarray(image))


@pytest.mark.parametrize("name", ["efficientnet_lite1", "timm:vit_tiny_patch16_224.augreg_in21k"])
def test_alone_or_in_a_batch_of_eight_is_bitwise_the_same(
    name: str, filled: Callable[[str], WeightStore], golden_part: GoldenPart
) -> None:
    extractor = packaged(name) if name in BACKBONES else RgbExtractor.load(name, filled(name), size=224)
    parts = [golden_part(number) for number in range(8)]
    together = extractor(parts)
    for number in (0, 3, 7):
        (alone,), grid = extractor([parts[number]]), together[number]
        assert torch.equal(alone.rows, grid.rows)
        assert grid.rows.dtype == torch.float32
        assert grid.rows.is_contiguous()


@pytest.mark.parametrize("name", ["wide_resnet50_2", "timm:vit_tiny_patch16_224.augreg_in21k"])
def test_a_finer_grid_of_a_larger_image(
    name: str, filled: Callable[[str], WeightStore], golden_part: GoldenPart
) -> None:
    """Scale 2: position embeddings are resampled, and the patches lie where they lay."""
    part = at_size(golden_part(2), 448)
    (grid,) = RgbExtractor.load(name, filled(name), size=448, side=56)([part])
    assert grid.layout == GridLayout(56)
    assert torch.isfinite(grid.rows).all()
    assert len(grid.rows.unique(dim=0)) > 1000


def test_the_map_of_ast_lies_between_two_halvings() -> None:
    run = unfilled_network("efficientnet_b5", size=768, stages=None, side=24)
    assert run(torch.empty(1, 3, 768, 768, device="meta")).shape == (1, 304, 24, 24)


def test_convolutional_networks_are_compiled(filled: Callable[[str], WeightStore]) -> None:
    transformer = "timm:vit_tiny_patch16_224.augreg_in21k"
    assert packaged("efficientnet_lite0").runtime == "openvino"
    assert RgbExtractor.load(transformer, filled(transformer)).runtime == "torch"


@pytest.mark.parametrize("size", [224, 448])
def test_the_grid_is_28_at_every_size(size: int, golden_part: GoldenPart) -> None:
    extractor = packaged("efficientnet_lite0", size)
    (grid,) = extractor([at_size(golden_part(2), size)])
    assert grid.layout == GridLayout(28)
    assert grid.rows.shape == (784, 40 + 112)


def test_a_change_moves_the_patches_where_it_is(golden_part: GoldenPart) -> None:
    """Localisation: the patch that changes most lies under the changed pixels."""
    part = golden_part(2)
    rgb = part.rgb.copy()
    rgb[80:88, 152:160] = 255
    extractor = packaged("efficientnet_lite1")
    before, after = extractor([part, replace(part, image=rgb)])
    changed = (after.rows - before.rows).norm(dim=1).argmax().item()
    row, column = divmod(int(changed), 28)
    assert abs(row - 10) <= 1
    assert abs(column - 19) <= 1


def test_chosen_stages_lie_side_by_side(golden_part: GoldenPart) -> None:
    """The channels of a stage are those that this stage has alone, in the order asked for."""
    part = golden_part(2)

    def rows(*stages: int) -> torch.Tensor:
        (grid,) = RgbExtractor.load("efficientnet_lite1", WeightStore(), stages=stages)([part])
        return grid.rows

    assert torch.equal(rows(1, 2, 3), torch.cat([rows(1), rows(2), rows(3)], dim=1))


def test_plain_colour_follows_the_network(golden_part: GoldenPart) -> None:
    part = golden_part(2)
    network = packaged("efficientnet_lite1")
    (without,), (beside,) = network([part]), ColouredExtractor(network, 300.0)([part])
    width = without.rows.shape[1]
    image = torch.from_numpy(part.rgb).permute(2, 0, 1).float() / 255
    assert torch.equal(beside.rows[:, :width], without.rows)
    assert torch.equal(beside.rows[:, width:], 300 * patch_colour(image, 28))


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("efficientnet_lite1", ()),
        ("efficientnet_lite1", (2, 1)),
        ("efficientnet_lite1", (3, 9)),
        ("dino_vitb8", (1,)),
    ],
)
def test_stages_that_cannot_be(name: str, stages: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="stages"):
        RgbExtractor.load(name, WeightStore(), stages=stages)


def test_paper_constants_are_imagenets(golden_part: GoldenPart) -> None:
    part = golden_part(2)
    own = packaged("efficientnet_lite0")
    paper = RgbExtractor.load("efficientnet_lite0", WeightStore(), constants="paper")
    assert not torch.equal(own([part])[0].rows, paper([part])[0].rows)


def test_wide_resnet_pools_as_btf(filled: Callable[[str], WeightStore], golden_part: GoldenPart) -> None:
    store, part = filled("wide_resnet50_2"), golden_part(1)
    (grid,) = RgbExtractor.load("wide_resnet50_2", store)([part])
    with unfilled():
        network = timm.create_model("wide_resnet50_2", features_only=True, out_indices=(2, 3)).eval()
    state = store.load("wide_resnet50_2")
    network.load_state_dict({key: state[key] for key in network.state_dict()}, assign=True)
    image = torch.from_numpy(part.rgb).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in IMAGENET)
    image = (image - mean) / std
    with torch.no_grad():
        maps = [functional.adaptive_avg_pool2d(functional.avg_pool2d(m, 3, 1), 28) for m in network(image)]
    expected = torch.cat(maps, 1)[0].flatten(1).T
    assert grid.rows.shape == (784, 512 + 1024)
    torch.testing.assert_close(grid.rows, expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item())


def test_plain_maps_repeat_the_cells_of_coarser_maps(
    filled: Callable[[str], WeightStore], golden_part: GoldenPart
) -> None:
    """As PaDiM concatenates them: the maps at strides 4, 8 and 16 on the grid of the first."""
    store, part = filled("resnet18"), golden_part(1)
    choice = {"stages": (1, 2, 3), "side": 56}
    (grid,) = RgbExtractor.load("resnet18", store, averaged=False, **choice)([part])
    with unfilled():
        network = timm.create_model("resnet18", features_only=True, out_indices=(1, 2, 3)).eval()
    state = store.load("resnet18")
    network.load_state_dict({key: state[key] for key in network.state_dict()}, assign=True)
    image = torch.from_numpy(part.rgb).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in IMAGENET)
    with torch.no_grad():
        maps = network((image - mean) / std)
    wide = [
        m.repeat_interleave(r, dim=2).repeat_interleave(r, dim=3)
        for m, r in zip(maps, (1, 2, 4), strict=True)
    ]
    expected = torch.cat(wide, 1)[0].flatten(1).T
    assert grid.rows.shape == (3136, 64 + 128 + 256)
    torch.testing.assert_close(grid.rows, expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item())
    (averaged,) = RgbExtractor.load("resnet18", store, **choice)([part])
    assert not torch.allclose(averaged.rows, grid.rows, rtol=0.1)


@pytest.mark.parametrize(
    ("name", "size", "channels"),
    [
        ("timm:vit_tiny_patch16_224.augreg_in21k", 448, 192),
        ("timm:vit_small_patch14_dinov2.lvd142m", 392, 384),
        ("timm:vit_small_patch16_dinov3.lvd1689m", 448, 384),
    ],
)
def test_any_vision_transformer_runs_where_a_token_is_a_patch(
    name: str, size: int, channels: int, filled: Callable[[str], WeightStore], golden_part: GoldenPart
) -> None:
    assert rgb_backbone(name).size == size
    (grid,) = RgbExtractor.load(name, filled(name))([at_size(golden_part(1), size)])
    assert grid.rows.shape == (784, channels)
    assert grid.rows.isfinite().all()


def test_any_convolutional_network_gives_strides_8_and_16(
    filled: Callable[[str], WeightStore], golden_part: GoldenPart
) -> None:
    (grid,) = RgbExtractor.load("timm:resnet18", filled("timm:resnet18"))([golden_part(1)])
    assert grid.rows.shape == (784, 128 + 256)


@pytest.mark.parametrize("name", ["dino", "timm:no_such_network"])
def test_an_unknown_name_lists_the_known(name: str) -> None:
    with pytest.raises(ValueError, match="efficientnet_lite1"):
        RgbExtractor.load(name, WeightStore())


def test_a_size_that_the_patch_does_not_divide(filled: Callable[[str], WeightStore]) -> None:
    name = "timm:vit_tiny_patch16_224.augreg_in21k"
    with pytest.raises(ValueError, match="multiple of its patch size 16"):
        RgbExtractor.load(name, filled(name), size=230)


def test_a_part_prepared_at_another_size_is_refused(golden_part: GoldenPart) -> None:
    extractor = packaged("efficientnet_lite0", 448)
    with pytest.raises(ValueError, match="448 px"):
        extractor([golden_part(1)])
