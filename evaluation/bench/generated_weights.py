"""Weights as networks are initialised, for measurements where the official ones cannot be had.

    python -m evaluation.bench.generated_weights m3dm out/generated-weights

writes what the profile needs. Banks that are built with `--weights-dir out/generated-weights` take the time
of real ones. Their scores mean nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from models.atomic_file import replacing
from models.weights.catalogue import official_weights
from models.weights.folder import converted
from models.weights.store import WeightStore
from recipes.profiles import find_profile


def generate(names: Sequence[str], folder: Path, seed: int = 0) -> list[Path]:
    """Write weights of these registered names where the folder has none. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        if WeightStore(folder).find(name) is not None:
            continue
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            state = official_weights(name).network().state_dict()
        with replacing(converted(folder, name)) as partial:
            save_file({key: tensor.contiguous() for key, tensor in state.items()}, partial)
        written.append(converted(folder, name))
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("profile")
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    for file in generate(find_profile(asked.profile).extraction.weights(), asked.folder):
        print(file)
