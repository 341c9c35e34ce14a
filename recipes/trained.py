"""Settings of banks whose networks are trained on the product's good parts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NETWORK_STEP = 16
"""A picture's side must be a multiple of this for an autoencoder."""
ReconstructionLoss = Literal["l1", "ssim"]


class AutoencoderRecipe(BaseModel):
    """Settings of one bank by an autoencoder (`banks.methods.autoencoder`), which sees the part's picture.

    The numbers are those of the Eyecandies repository.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Literal["autoencoder"] = "autoencoder"
    loss: ReconstructionLoss = "l1"
    """"l1": mean absolute difference. "ssim": 1 - structural similarity, which the leaderboard's name of the
    paper's network tells of."""
    epochs: int = Field(default=10, ge=1)
    batch: int = Field(default=32, ge=1)
    """Parts in a training step. Fewer training parts make one batch."""
    rate: float = Field(default=1e-3, gt=0)
    """Learning rate of Adam."""
    augmented: bool = True
    """Whether parts are turned, scaled, shifted and recoloured at random while the network is trained."""
    checkpoint_every: int = Field(default=25, ge=1)
    """Training steps between two checkpoints."""


class AstRecipe(BaseModel):
    """Settings of one bank by asymmetric student and teacher (`banks.methods.ast`), which see a picture of
    cells (`recipes.picture.CellsChoice`).

    The numbers are those of the authors' code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Literal["ast"] = "ast"
    width: int = Field(default=1024, ge=1)
    """Channels inside the student."""
    epochs: int = Field(default=72, ge=1)
    """Of the teacher, and then of the student."""
    batch: int = Field(default=8, ge=1)
    """Parts in a training step. Fewer training parts make one batch."""
    rate: float = Field(default=2e-4, gt=0)
    decay: float = Field(default=1e-5, ge=0)
    """Learning rate and weight decay of Adam."""
    checkpoint_every: int = Field(default=25, ge=1)
    """Training steps between two checkpoints."""


class StfpmRecipe(BaseModel):
    """Settings of one bank by student and teacher (`banks.methods.stfpm`), which see the part's picture.

    The numbers are those of the authors' code. The teacher is `extraction.picture.teacher`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Literal["stfpm"] = "stfpm"
    stages: tuple[int, ...] = Field(default=(1, 2, 3), min_length=1)
    """Maps of the network, by timm's indices: strides 4, 8 and 16."""
    epochs: int = Field(default=100, ge=1)
    batch: int = Field(default=32, ge=1)
    """Parts in a training step. Fewer training parts make one batch."""
    rate: float = Field(default=0.4, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    decay: float = Field(default=1e-4, ge=0)
    """Learning rate, momentum and weight decay of SGD."""
    judging: float = Field(default=0.2, gt=0, lt=1)
    """Share of the training parts that only choose the epoch that is kept."""
    checkpoint_every: int = Field(default=25, ge=1)
    """Training steps between two checkpoints."""
