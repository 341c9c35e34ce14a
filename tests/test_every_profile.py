"""For every named profile: a part's patches and scores are bitwise the same alone and in a batch of four.

Each distinct extractor runs once: point transformers with an eighth of their groups, FPFH on a quarter of the
points, vision transformers with the first of their equal blocks. Each profile's fusion, banks and decision
run on the first channels of those patches. A new profile is covered by being listed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from banks.columns import Columns
from banks.decision import rules as decisions
from banks.decision.good_scores import GoodScores
from banks.methods.ast.column import AstColumn
from banks.methods.autoencoder.column import AutoencoderColumn
from banks.methods.memory_bank.bank import MemoryBank
from banks.methods.memory_bank.column import MemoryBankColumn
from banks.methods.memory_bank.normaliser import Normaliser
from banks.methods.method import Method, Provenance
from banks.methods.padim.column import PadimColumn
from banks.methods.padim.factors import Factors
from banks.methods.stfpm.column import StfpmColumn
from models.ast.flow import Flow
from models.ast.student import Student
from models.autoencoder.network import Autoencoder
from models.cells import CellsExtractor
from models.colour.extractor import ColourExtractor
from models.extraction import coloured, image_network_of, point_extractor
from models.features import PartFeatures, Patches
from models.fusion.fusion import FusionTask
from models.fusion.network import FusionNetwork
from models.fusion.registry import FUSIONS
from models.layout import GridLayout
from models.normals.extractor import NormalsExtractor
from models.picture import PictureExtractor, pixels_of
from models.preparation.prepare import PreparedPart, prepare
from models.relief.extractor import ReliefExtractor
from models.rgb import extractor
from models.rgb.backbones import rgb_backbone
from models.rgb.extractor import RgbExtractor
from models.sample import make_sample
from models.stfpm.pyramid import student_of
from models.weights.store import WeightStore
from recipes.backbones import RgbBackbone
from recipes.banks import BankRecipe, PadimRecipe
from recipes.colour import ColourChoice
from recipes.extraction import NormalsChoice
from recipes.picture import CellsChoice, PictureChoice
from recipes.points import FpfhChoice, PointChoice
from recipes.preparation import Preparation
from recipes.profile import Profile
from recipes.profiles import PROFILES
from recipes.relief import ReliefChoice
from recipes.rgb import RgbChoice
from recipes.trained import AstRecipe, AutoencoderRecipe, StfpmRecipe
from tests.conftest import MadeOnce
from tests.golden_inputs import link_weights

BATCH, LAST = 4, 3
BLOCKS = 1
"""Of a vision transformer's 12."""
RGB_CHANNELS, POINT_CHANNELS = 24, 32
"""Of the patches that go to fusion and banks."""

_COVERED = {"wide_resnet50_2_tv": "resnet18"}
"""A backbone whose network runs in another profile, by one with which its maps run."""

pytestmark = pytest.mark.slow
Choice = RgbChoice | PointChoice | NormalsChoice | ReliefChoice | ColourChoice | PictureChoice | CellsChoice
Component = tuple[Choice, Preparation]


def _arithmetic(choice: Choice, preparation: Preparation) -> Hashable:
    """Equal for extractors that compute the same with other numbers: weights or colour constants."""
    if isinstance(choice, RgbChoice):
        network = rgb_backbone(_COVERED.get(choice.backbone, choice.backbone)).model.partition(".")[0]
        return network, preparation.rgb_size, choice.side, choice.averaged
    if isinstance(choice, NormalsChoice):
        return "normals", _arithmetic(choice.network, preparation)
    if isinstance(choice, CellsChoice):  # EfficientNet-B5 by Lite1: both are one network more under the cells
        return "cells", choice.backbone is not None, choice.depth
    return choice


def _cheap(choice: PointChoice) -> PointChoice:
    if isinstance(choice, FpfhChoice):
        return choice
    return replace(choice, groups=choice.groups // 8, group_size=choice.group_size // 4)


def _thinned(part: PreparedPart) -> PreparedPart:
    """With every second point of every second row."""
    valid = np.zeros_like(part.valid)
    valid[::2, ::2] = part.valid[::2, ::2]
    return replace(part, valid=valid, xyz=np.where(valid[..., None], part.xyz, np.float32(0)))


def _resolved(profile: Profile) -> Profile:
    """With lengths for a hand-sized part."""
    return profile.resolved(None)


def _choices(profile: Profile) -> dict[str, Choice]:
    """Of the banks that are extracted."""
    extraction = profile.extraction
    every = (
        *(extraction.rgb, extraction.point, extraction.normals),
        *(extraction.relief, extraction.colour, extraction.picture),
    )
    banks = ("rgb", "point", "normals", "relief", "colour", "picture")
    return {bank: choice for bank, choice in zip(banks, every, strict=True) if choice is not None}


def _components() -> dict[Hashable, Component]:
    found: dict[Hashable, Component] = {}
    for profile in map(_resolved, PROFILES.values()):
        for choice in _choices(profile).values():
            found.setdefault(_arithmetic(choice, profile.preparation), (choice, profile.preparation))
    return found


COMPONENTS = _components()
Grids = Callable[[Hashable], tuple[list[Patches], Patches]]


@pytest.fixture(scope="module")
def parts(recipe: ModuleType) -> Callable[[Preparation], list[PreparedPart]]:
    """Four parts through the preparation of a profile, their background being out already."""

    @cache
    def prepared(preparation: Preparation) -> list[PreparedPart]:
        settings = replace(preparation, background="none")
        return [prepare(make_sample(*recipe.sample(number)), settings) for number in range(BATCH)]

    return prepared


_fit = extractor._fit


def _few_blocks(network: Any, backbone: RgbBackbone, size: int) -> None:
    """A vision transformer keeps its first blocks."""
    _fit(network, backbone, size)
    if backbone.kind == "tokens":
        network.blocks = network.blocks[:BLOCKS]


@pytest.fixture(scope="module")
def grids(
    recipe: ModuleType,
    parts: Callable[[Preparation], list[PreparedPart]],
    made_once: MadeOnce,
    tmp_path_factory: pytest.TempPathFactory,
) -> Grids:
    """All four parts' patches as one batch, and the last part's alone, by `_arithmetic`."""

    folder = tmp_path_factory.mktemp("weights")
    store = WeightStore(folder)
    write = cache(lambda name: link_weights(recipe, made_once, folder, [name], 7))

    @cache
    def network(image: RgbChoice, size: int) -> RgbExtractor:
        """Without plain colour; a vision transformer with few blocks."""
        write(image.weights)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(extractor, "_fit", _few_blocks)
            return image_network_of(image, store, "cpu", size=size)

    @cache
    def extracted(key: Hashable) -> tuple[list[Patches], Patches]:
        choice, preparation = COMPONENTS[key]
        inputs = parts(preparation)
        if isinstance(choice, RgbChoice | NormalsChoice):
            image = choice if isinstance(choice, RgbChoice) else choice.network
            seen = network(replace(image, colour=0.0), preparation.rgb_size)
            extract = (
                coloured(choice, seen) if isinstance(choice, RgbChoice) else NormalsExtractor(choice, seen)
            )
        elif isinstance(choice, ReliefChoice):
            extract = ReliefExtractor(choice)
        elif isinstance(choice, ColourChoice):
            extract = ColourExtractor(choice)
        elif isinstance(choice, PictureChoice):
            extract = PictureExtractor(choice)
        elif isinstance(choice, CellsChoice):
            image = choice.image
            seen = None if image is None else network(replace(image, colour=0.0), preparation.rgb_size)
            extract = CellsExtractor(choice, seen)
        else:
            if isinstance(choice, FpfhChoice):
                inputs = [_thinned(part) for part in inputs]
            else:
                write(choice.kind)
            extract = point_extractor(_cheap(choice), store, "cpu")
        (alone,) = extract([inputs[LAST]])
        return extract(inputs), alone

    return extracted


@pytest.mark.parametrize("key", COMPONENTS, ids=str)
def test_patches(key: Hashable, grids: Grids) -> None:
    batch, alone = grids(key)
    assert len(batch) == BATCH
    assert torch.equal(batch[LAST].rows, alone.rows)
    assert not torch.equal(batch[0].rows, alone.rows)


@pytest.fixture(scope="module")
def fusion_weights(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> WeightStore:
    """A fusion network for the first channels."""
    folder = tmp_path_factory.mktemp("fusion")
    state = FusionNetwork(RGB_CHANNELS, POINT_CHANNELS).state_dict()
    save_file(recipe.fill(state, 7), folder / "uff.safetensors")
    return WeightStore(folder)


@pytest.mark.parametrize("name", PROFILES)
def test_scores(name: str, grids: Grids, fusion_weights: WeightStore, tmp_path: Path) -> None:
    profile = _resolved(PROFILES[name])
    features = _features(profile, grids, fusion_weights, tmp_path)
    columns = Columns(
        {bank: _column(profile, bank, features[:2]) for bank in profile.banks},
        profile.blur,
        profile.preparation.size,
        profile.place_sigma,
    )
    alone = columns.score(features[LAST])
    batch = [columns.score(part) for part in features]
    for bank, finding in alone.findings.items():
        in_batch = batch[LAST].findings[bank]
        assert in_batch.image_score == finding.image_score
        np.testing.assert_array_equal(in_batch.values, finding.values)
        np.testing.assert_array_equal(batch[LAST].maps[bank], alone.maps[bank])
    decision = decisions.fit(profile.decision, GoodScores(tuple(profile.banks), batch[1:]))
    whole, single = decision.judge(batch[LAST]), decision.judge(alone)
    assert whole.score == single.score
    assert whole.place == single.place
    np.testing.assert_array_equal(whole.map, single.map)


def _features(
    profile: Profile, grids: Grids, fusion_weights: WeightStore, folder: Path
) -> list[PartFeatures]:
    """Patches of all parts for every bank of a profile, of the first channels."""
    extraction, found = profile.extraction, [{} for _ in range(BATCH)]
    for bank, choice in _choices(profile).items():
        batch, _ = grids(_arithmetic(choice, profile.preparation))
        for part, grid in zip(found, batch, strict=True):
            if isinstance(choice, PictureChoice | CellsChoice):
                part[bank] = _coarse(grid) if isinstance(choice, PictureChoice) else grid
                continue
            channels = POINT_CHANNELS if bank == "point" else RGB_CHANNELS
            part[bank] = replace(grid, rows=grid.rows[:, :channels].contiguous())
    if extraction.fusion is not None:
        training = replace(extraction.training, steps=1, warm_up=1, batch=1)
        pairs = [(part["rgb"], part["point"]) for part in found]
        task = FusionTask(pairs[:2], folder, fusion_weights, training, "cpu", lambda done, total, loss: None)
        fusion = FUSIONS[extraction.fusion].fit(task)
        for part, (rgb, point) in zip(found, pairs, strict=True):
            part["fused"] = fusion(rgb, point)
    return list(found)


def _coarse(grid: Patches) -> Patches:
    """A picture of 32 pixels."""
    picture = pixels_of(grid)
    step = picture.shape[-1] // 32
    return Patches(picture[:, ::step, ::step].flatten(1).T.contiguous(), GridLayout(32))


def _column(profile: Profile, bank: str, features: list[PartFeatures]) -> Method:
    """Of a method's settings, fitted on some parts."""
    if isinstance(profile.banks[bank], AutoencoderRecipe):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return AutoencoderColumn.of(Autoencoder(features[0][bank].rows.shape[1], 32), "cpu")
    if isinstance(profile.banks[bank], AstRecipe):
        _, channels = features[0][bank].rows.shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return AstColumn.of(Flow(channels - 1, 24), Student(channels - 1, 24, 8), "cpu")
    if isinstance(profile.banks[bank], PadimRecipe):
        rows = torch.stack([part[bank].rows for part in features]).double()
        gaussians = Factors.fit(
            lambda some: rows[:, some],
            (rows.shape[0], rows.shape[1], rows.shape[2]),
            0.01,
            lambda done, total: None,
        )
        return PadimColumn(torch.arange(rows.shape[2]), gaussians, profile.preparation.size)
    if isinstance(profile.banks[bank], StfpmRecipe):
        teacher, student = (
            student_of("efficientnet_lite1", (1, 2, 3), seed, "cpu").eval() for seed in (0, 1)
        )
        return StfpmColumn(teacher, student)
    return _memory_bank(profile, bank, features)


def _memory_bank(profile: Profile, bank: str, features: list[PartFeatures]) -> MemoryBankColumn:
    """Every second patch of some parts, normalised by itself unless not at all: which scalars it takes
    changes nothing here."""
    rows = np.concatenate([part[bank].rows.numpy()[::2] for part in features])
    recipe = profile.recipe(bank, BankRecipe)
    how = recipe.normalisation
    normaliser = Normaliser() if how == "none" else Normaliser.fit([rows], per_channel=how == "channel")
    origin = np.zeros(len(rows), np.int32)
    return MemoryBankColumn(
        MemoryBank.of(normaliser(rows), precision=profile.precision),
        normaliser,
        recipe.reweighting,
        Provenance(origin, origin, origin),
    )
