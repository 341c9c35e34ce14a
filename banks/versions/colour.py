"""How much plain colour counts beside the network's channels: as much as these vary on the product."""

from __future__ import annotations

import torch

from banks.versions.good_parts import GoodParts
from models.rgb.patch_colour import COLOUR_CHANNELS
from models.spread import Spread
from recipes.measured import rounded
from recipes.profile import Profile

_SPREADS = 6.0
"""Factor of the plain colour, in spreads of the network's channels. On demo products 6 spreads of
EfficientNet-Lite1 are 266 to 375. A factor of 300 for all was chosen on seeds 0, 1 and 3."""


def settled_colour(profile: Profile, train: GoodParts) -> float | None:
    """The factor that follows from the training parts; their plain colour is multiplied by it.

    The spread is of the patches that show the part; of all patches where no part has a cloud. None for a
    profile whose factor is a number already.
    """
    if not profile.extraction.follows_colour or not len(train):
        return None
    spread = Spread()
    for part, valid in enumerate(train.valid):
        patches = train.store.patches("rgb", part)
        rows = patches.rows[:, :-COLOUR_CHANNELS]
        spread.add(rows[torch.from_numpy(patches.layout.touches(valid))] if valid.any() else rows)
    factor = rounded(_SPREADS * spread.root) or 1.0
    train.store.scale("rgb", COLOUR_CHANNELS, factor)
    return factor
