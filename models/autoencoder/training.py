"""Training an autoencoder on pictures of good parts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch

from models.autoencoder.augmentation import augmented
from models.autoencoder.losses import LOSSES
from models.autoencoder.network import Autoencoder
from models.training import Training, epoch_steps, parts_of_step
from recipes.trained import AutoencoderRecipe

_CHANGES = 1  # a stream of random numbers of its own, beside that of the order


def autoencoder_training(
    pictures: Sequence[torch.Tensor], recipe: AutoencoderRecipe, seed: int, device: torch.device | str
) -> Training:
    """The run that trains an autoencoder.

    pictures: (C, side, side) float32 in 0..1, one a part; read when a step needs them.
    seed: of the first weights, the order of parts and their changes.
    """
    channels, side = pictures[0].shape[0], pictures[0].shape[-1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Autoencoder(channels, side)
    network = network.to(device).train()

    def loss(step: int) -> torch.Tensor:
        chosen = parts_of_step(step, len(pictures), recipe.batch, seed)
        batch = torch.stack([pictures[part] for part in chosen]).to(device)
        if recipe.augmented:
            batch = augmented(batch, np.random.default_rng([seed, _CHANGES, step]))
        return LOSSES[recipe.loss](network(batch), batch)

    facts = recipe.model_dump(exclude={"checkpoint_every"}) | {"seed": seed, "parts": len(pictures)}
    return Training(
        network=network,
        optimizer=torch.optim.Adam(network.parameters(), lr=recipe.rate),
        steps=recipe.epochs * epoch_steps(len(pictures), recipe.batch),
        loss=loss,
        checkpoint_every=recipe.checkpoint_every,
        facts=json.dumps(facts | {"channels": channels, "side": side}),
    )
