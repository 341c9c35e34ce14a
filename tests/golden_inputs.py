"""The golden recipe's weights and parts on disk, as users have them: official checkpoints, and a product."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import tifffile
import torch
from PIL import Image
from safetensors.torch import save_file

from models.weights.catalogue import official_weights
from tests.conftest import MadeOnce


def drawn(recipe: ModuleType, name: str, seed: int) -> dict[str, torch.Tensor]:
    """The recipe's numbers for every tensor of the weights of this name."""
    shapes = official_weights(name).shapes()
    return recipe.fill({key: torch.empty(shape, device="meta") for key, shape in shapes.items()}, seed)


def write_weights(recipe: ModuleType, folder: Path, names: Sequence[str], seed: int) -> None:
    """The recipe's weights of these names under their official file names, in their official layouts.

    Checkpoints also hold what the loader has to pass over: other networks' tensors and a Namespace. Weights
    that come inside an installed package are left out; AugReg's, official as .npz, are in timm's layout.
    """
    for name in names:
        weights = official_weights(name)
        if weights.packaged():
            continue
        state = drawn(recipe, name, seed)
        if not weights.files[0].endswith(".pth"):
            save_file(state, folder / weights.files[-1])
            continue
        layout = weights.layout
        top: dict[str, Any] = {f"{layout.strip}{layout.keep}{key}": value for key, value in state.items()}
        top |= {f"{layout.strip}{prefix}x": torch.zeros(3) for prefix in layout.ignore}
        for key in reversed(layout.container):
            top = {key: top, "epoch": 3, "args": argparse.Namespace(lr=0.003)}
        torch.save(top, folder / weights.files[0])


def link_weights(
    recipe: ModuleType, made_once: MadeOnce, folder: Path, names: Sequence[str], seed: int
) -> None:
    """The files of `write_weights` in this folder. Each file is written once a run: drawing the 86 million
    numbers of a large network takes seconds."""
    for name in names:
        made = made_once(
            f"weights-{seed}-{name}", lambda place, name=name: write_weights(recipe, place, [name], seed)
        )
        for file in made.iterdir():
            os.link(file, folder / file.name)


def write_product(recipe: ModuleType, folder: Path, splits: Mapping[str, Sequence[int]]) -> None:
    """Parts of these numbers as an MVTec-layout product, already prepared, all good."""
    for split, parts in splits.items():
        for number in parts:
            rgb, xyz = recipe.sample(number)
            image, cloud = pair(folder, split, number)
            for file in (image, cloud):
                file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rgb).save(image)
            tifffile.imwrite(cloud, xyz, photometric="rgb")


def pair(folder: Path, split: str, number: int) -> tuple[Path, Path]:
    """Image and cloud of one part of `write_product`."""
    good = folder / split / "good"
    return good / "rgb" / f"{number:03}.png", good / "xyz" / f"{number:03}.tiff"
