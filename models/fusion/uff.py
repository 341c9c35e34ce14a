"""Unsupervised feature fusion: RGB and point patches to one fused patch (paper sec. 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import torch

from models.features import Patches
from models.fusion.fusion import FusionTask
from models.fusion.network import HEADS, FusionNetwork
from models.numerics.linear import FastLinear
from models.points.alignment import expand
from models.strict_loading import load_strictly
from models.unfilled import unfilled
from models.weights.store import WeightStore


class WrongWidths(ValueError):
    """A fusion network and patches that are not as wide as each other."""


class Uff:
    """A fusion network that is trained already; see `models.fusion.fusion.Fusion`.

    The network is deterministic and takes one part at a time.
    """

    def __init__(self, network: FusionNetwork, device: torch.device) -> None:
        self.device = device
        self.widths = (network.rgb_mlp.fc1.in_features, network.xyz_mlp.fc1.in_features)
        """Channels of RGB and of point patches."""
        self._network = network.to(device).eval().requires_grad_(False)

    @classmethod
    def fit(cls, task: FusionTask) -> Self:
        """The network of the weight store: nothing is fitted. Raises MissingWeights."""
        return cls.from_state(task.weights.load("uff"), task.device)

    @classmethod
    def training_s(cls, task: FusionTask) -> float:
        """Nothing is trained."""
        return 0.0

    @classmethod
    def ready(cls, weights: WeightStore, device: torch.device | str) -> Self | None:
        """The network of the weight store. Raises MissingWeights."""
        return cls.from_state(weights.load("uff"), device)

    @classmethod
    def placeholder(cls, rgb_width: int, point_width: int, device: torch.device | str) -> Self:
        """An untrained network."""
        return cls.from_state(FusionNetwork(rgb_width, point_width).state_dict(), device)

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor], device: torch.device | str = "cpu") -> Self:
        """state: official keys; widths are read from them and the heads, which only train, may be absent.

        Raises ValueError naming tensors that are missing, unexpected or of another shape.
        """
        if absent := [key for key in ("rgb_norm.weight", "xyz_norm.weight") if key not in state]:
            raise ValueError(f"These weights are no fusion network: missing {', '.join(absent)}")
        with unfilled():
            network = FusionNetwork.sized(state)
        del network.rgb_head, network.xyz_head
        branches = {key: tensor for key, tensor in state.items() if not key.startswith(HEADS)}
        load_strictly(network, branches, "the fusion network")
        return cls(network, torch.device(device))

    def state(self) -> dict[str, torch.Tensor]:
        """What `from_state` needs, on the CPU, without the heads."""
        return {key: tensor.cpu() for key, tensor in self._network.state_dict().items()}

    @torch.inference_mode()
    def __call__(self, rgb: Patches, point: Patches) -> Patches:
        """Fused patches on the point grid: (side * side, C_p + C_r) float32, point channels first.

        The branches never mix, so each branch runs on distinct rows only: the RGB branch before every RGB
        patch is repeated 2 x 2, and the point branch once for the all-zero row of all empty patches. Rows
        are brought to the network's device. Raises WrongWidths.
        """
        colour_rows, point_rows = rgb.rows.to(self.device), point.rows.to(self.device)
        widths = (colour_rows.shape[1], point_rows.shape[1])
        if widths != self.widths:
            raise WrongWidths(
                f"This fusion network takes RGB and point patches of {self.widths} channels, the profile's "
                f"have {widths}: 'tribank train-uff' with the same profile trains one that fits."
            )
        full = point_rows.any(1)
        distinct = torch.cat([point_rows[full], point_rows.new_zeros(1, point_rows.shape[1])])
        with FastLinear():
            from_rgb, from_point = self._network(colour_rows, distinct)
        if rgb.layout != point.layout:
            from_rgb = expand(from_rgb)
        fused = point_rows.new_empty(len(full), from_point.shape[1] + from_rgb.shape[1])
        points, colours = fused.split([from_point.shape[1], from_rgb.shape[1]], dim=1)
        points[:] = from_point[-1]
        points[full] = from_point[:-1]
        colours[:] = from_rgb
        return Patches(fused, point.layout)
