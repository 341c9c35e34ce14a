"""Patch rows brought to mean 0 and standard deviation 1 before distances are measured (paper sec. 3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from models.features import Rows

_Rows = TypeVar("_Rows", NDArray[np.float32], torch.Tensor, Rows)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """(rows - mean) / std in float32.

    mean, std: finite numbers, one for all channels or one for each channel; std above 0.
    Raises ValueError for other numbers.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        numbers = np.array([*self.mean, *self.std])
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError(f"{len(self.mean)} means for {len(self.std)} standard deviations")
        if not np.isfinite(numbers).all() or min(self.std) <= 0:
            raise ValueError("a normaliser needs finite means and positive finite standard deviations")

    @classmethod
    def fit(cls, chunks: Iterable[NDArray[np.float32]], *, per_channel: bool = False) -> Normaliser:
        """Mean and unbiased standard deviation (as torch.std) of all rows, accumulated in float64.

        chunks: (n, C) float32 pieces of the library, read once. A channel that never varies keeps a std of 1.
        Raises ValueError without at least two values.
        """
        count, mean, scatter = 0, np.zeros(1), np.zeros(1)
        for chunk in chunks:
            values = np.asarray(chunk if per_channel else chunk.reshape(-1, 1), np.float64)
            if not len(values):
                continue
            own = values.mean(axis=0)
            total = count + len(values)
            shift = own - mean
            values -= own
            scatter = (
                scatter + np.einsum("ij,ij->j", values, values) + shift**2 * (count * len(values) / total)
            )
            mean = mean + shift * (len(values) / total)
            count = total
        if count < 2:
            raise ValueError("a standard deviation needs at least two values")
        std = np.sqrt(scatter / (count - 1))
        return cls(tuple(mean.tolist()), tuple(np.where(std > 0, std, 1.0).tolist()))

    @classmethod
    def shared(cls, mean_of: Normaliser, std_of: Normaliser) -> Normaliser:
        """The mean of one library and the std of another (the published point mean and RGB std, facts T3)."""
        return cls(mean_of.mean, std_of.std)

    def __call__(self, rows: _Rows) -> _Rows:
        """(n, C) float32 to (n, C) float32, on the rows' own device."""
        if isinstance(rows, torch.Tensor):
            mean, std = (torch.tensor(numbers, device=rows.device) for numbers in (self.mean, self.std))
            return (rows - mean) / std
        return (rows - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
