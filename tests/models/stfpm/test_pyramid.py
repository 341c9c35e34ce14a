"""Teacher and student: the map against its formula in NumPy, and weights that go where they belong."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.stfpm.pyramid import Pyramid, differences, joined, spread, student_of, teacher_of
from models.weights.store import WeightStore
from tests.conftest import MadeOnce
from tests.golden_inputs import link_weights

STAGES = (1, 2, 3)
LITE = "efficientnet_lite1"
SIDE = 64


@pytest.fixture(scope="module")
def teacher() -> Pyramid:
    return teacher_of(LITE, STAGES, WeightStore().load(LITE), "cpu")


@pytest.fixture(scope="module")
def student() -> Pyramid:
    return student_of(LITE, STAGES, 3, "cpu").eval()


def image(seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def resized(plane: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Bilinear between pixel centres, one pixel after the other."""
    old = len(plane)
    made = np.zeros((side, side))
    for row in range(side):
        for column in range(side):
            y, x = (min(max((at + 0.5) * old / side - 0.5, 0), old - 1) for at in (row, column))
            top, left = int(y), int(x)
            bottom, right = min(top + 1, old - 1), min(left + 1, old - 1)
            upper = plane[top, left] * (1 - x + left) + plane[top, right] * (x - left)
            lower = plane[bottom, left] * (1 - x + left) + plane[bottom, right] * (x - left)
            made[row, column] = upper * (1 - y + top) + lower * (y - top)
    return made


@torch.inference_mode()
def test_the_map_is_the_product_of_squared_distances_of_unit_vectors(
    teacher: Pyramid, student: Pyramid
) -> None:
    raw = [
        [
            maps[0].double().numpy()
            for maps in net._network.forward_intermediates(
                (image() - net.mean) / net.std, indices=list(STAGES), intermediates_only=True
            )
        ]
        for net in (teacher, student)
    ]
    sides = [maps.shape[-1] for maps in raw[0]]
    assert sides == [SIDE // 4, SIDE // 8, SIDE // 16]
    product = np.ones((sides[0], sides[0]))
    for theirs, ours in zip(*raw, strict=True):
        one, two = (maps / np.sqrt((maps**2).sum(axis=0)) for maps in (theirs, ours))
        product *= resized(((one - two) ** 2).sum(axis=0), sides[0])
    found = joined(differences(teacher(image()), student(image())))
    np.testing.assert_allclose(found[0].numpy(), product, rtol=1e-4, atol=1e-6)
    whole = spread(found, (SIDE, SIDE))[0].numpy()
    np.testing.assert_allclose(whole, resized(product, SIDE), rtol=1e-4, atol=1e-5)
    assert product.max() > 0.1


@torch.inference_mode()
def test_a_student_with_its_teacher_s_weights_differs_nowhere(teacher: Pyramid) -> None:
    copy = student_of(LITE, STAGES, 0, "cpu").eval()
    assert joined(differences(teacher(image()), copy(image()))).max() > 0.1
    copy.load_state_dict(teacher.state_dict())
    assert joined(differences(teacher(image()), copy(image()))).max() < 1e-9


def test_the_student_follows_the_seed() -> None:
    first, again, other = (student_of(LITE, STAGES, seed, "cpu").state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@torch.inference_mode()
def test_weights_of_the_published_network_teach_too(
    recipe: ModuleType, made_once: MadeOnce, tmp_path: Path
) -> None:
    name = "resnet18"
    link_weights(recipe, made_once, tmp_path, [name], 7)
    weights = WeightStore(tmp_path).load(name)
    teacher = teacher_of(name, STAGES, weights, "cpu")
    assert torch.equal(
        teacher.state_dict()["_network.layer2.0.conv1.weight"], weights["layer2.0.conv1.weight"]
    )
    assert not any(key.startswith("_network.layer4") for key in teacher.state_dict()), "no map needs it"
    maps = teacher(image())
    assert [tuple(one.shape[1:]) for one in maps] == [(64, 16, 16), (128, 8, 8), (256, 4, 4)]
    for one in maps:
        torch.testing.assert_close(one.norm(dim=1), torch.ones(1, *one.shape[2:]))
