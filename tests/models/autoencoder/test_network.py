"""The autoencoder's size is that of the repository's description."""

from __future__ import annotations

import pytest
import torch

from models.autoencoder.network import Autoencoder
from models.unfilled import unfilled


@pytest.mark.parametrize("channels", [3, 4, 7])
def test_a_picture_becomes_a_picture(channels: int) -> None:
    network = Autoencoder(channels, 32).eval()
    with torch.inference_mode():
        made = network(torch.rand(2, channels, 32, 32))
    assert made.shape == (2, channels, 32, 32)
    assert made.min() > -0.18


def test_the_published_size_squeezes_65536_numbers_into_256() -> None:
    with unfilled():
        network = Autoencoder(3, 256)
    squeeze, spread = network.squeeze, network.spread
    assert (squeeze.in_features, squeeze.out_features, spread.out_features) == (65536, 256, 65536)
    linear = sum(tensor.numel() for layer in (squeeze, spread) for tensor in layer.parameters())
    assert linear == pytest.approx(33.5e6, rel=0.01)
