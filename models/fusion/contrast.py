"""The patch-wise contrastive loss without its N x N matrix (paper eq. 2; published code, one direction)."""

from __future__ import annotations

from typing import Any

import torch

TILE = 2048
"""Rows and columns of similarities in memory at a time: 16 MiB in float32."""


def contrastive_loss(
    query: torch.Tensor, key: torch.Tensor, temperature: float = 1.0, tile: int = TILE
) -> torch.Tensor:
    """Cross-entropy of finding each query's own key among all keys, times twice the temperature.

    query, key: (N, D) float32 unit vectors; row i of `query` belongs to row i of `key`.
    tile: rows and columns of similarities in memory at a time.

    As published, queries are RGB patches, keys are point patches, the temperature is 1, and the other
    direction is never asked. The loss is exact. Tiles of similarities are summed by a running log-sum-exp and
    computed again for the gradients, so memory grows with N * D only. Returns a scalar. Raises ValueError
    without rows.
    """
    if not len(query):
        raise ValueError("no patch of these parts has points: the fusion network has nothing to learn from")
    return _Contrast.apply(query, key, temperature, tile)  # pyright: ignore[reportReturnType]


class _Contrast(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, temperature: float, tile: int
    ) -> torch.Tensor:
        total = []
        for rows in query.split(tile):
            running = rows.new_full((len(rows),), -torch.inf)
            for columns in key.split(tile):
                similarity = rows @ columns.T / temperature
                running = torch.logaddexp(running, similarity.logsumexp(1))
            total.append(running)
        normaliser = torch.cat(total)
        ctx.save_for_backward(query, key, normaliser)
        ctx.temperature, ctx.tile = temperature, tile
        own = (query * key).sum(1) / temperature
        return 2 * temperature * (normaliser - own).mean()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        query, key, normaliser = ctx.saved_tensors
        for_query, for_key = -key, -query
        for start in range(0, len(query), ctx.tile):
            rows = slice(start, start + ctx.tile)
            for first in range(0, len(key), ctx.tile):
                columns = slice(first, first + ctx.tile)
                similarity = query[rows] @ key[columns].T / ctx.temperature
                share = (similarity - normaliser[rows, None]).exp_()
                for_query[rows] += share @ key[columns]
                for_key[columns] += share.T @ query[rows]
        scale = gradients[0] * 2 / len(query)
        return for_query * scale, for_key * scale, None, None
