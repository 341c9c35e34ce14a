"""Tensors into the network that they were made for, and into no other."""

from __future__ import annotations

from collections.abc import Mapping

import torch


def load_strictly(network: torch.nn.Module, weights: Mapping[str, torch.Tensor], noun: str) -> None:
    """Load exactly the network's tensors. The network shares its tensors with `weights`.

    Args:
        network: may be on the meta device.
        weights: tensors by name.
        noun: name of the network in the error message.

    Raises ValueError with the names of missing, unexpected or wrongly shaped tensors.
    """
    expected = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    given = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    faults = [f"missing {key}" for key in expected.keys() - given.keys()]
    faults += [f"unexpected {key}" for key in given.keys() - expected.keys()]
    faults += [
        f"{key} is {given[key]}, not {expected[key]}"
        for key in expected.keys() & given.keys()
        if given[key] != expected[key]
    ]
    if faults:
        raise ValueError(f"These weights do not fit {noun}: {'; '.join(sorted(faults))}")
    network.load_state_dict(dict(weights), assign=True)
