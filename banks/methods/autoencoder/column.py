"""A column that makes a part's picture again from a few numbers, as it learned to do with good parts.

What the network cannot make again, because no good part has it, differs from the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from banks.methods.column_files import ColumnFiles
from banks.methods.method import ColumnPlan, Finding, FitTask, PlanTask, WithoutRows
from banks.methods.trained import pictures_of, training_plan
from models.autoencoder.network import Autoencoder
from models.autoencoder.training import autoencoder_training
from models.features import Patches
from models.layout import GridLayout
from models.numerics.process import full_precision
from models.picture import pixels_of
from models.strict_loading import load_strictly
from models.training import Training, train, with_remaining
from models.unfilled import unfilled
from models.weights.store import WeightStore
from recipes.profile import Profile
from recipes.trained import AutoencoderRecipe

AUTOENCODER = "autoencoder"


@dataclass(frozen=True)
class AutoencoderColumn(WithoutRows):
    """A trained autoencoder; see `banks.methods.method.Method`.

    network: on the device where the column scores.
    channels, side: of the pictures.
    """

    stage: ClassVar[str] = "training"
    forgets: ClassVar[bool] = False
    network: Autoencoder
    channels: int
    side: int

    @property
    def dimension(self) -> int:
        """Channels of a picture."""
        return self.channels

    @classmethod
    def plan(cls, task: PlanTask) -> ColumnPlan:
        """Bytes from the network's size; scoring and a few training steps are timed."""
        pixels = pixels_of(task.patches)
        recipe = task.profile.recipe(task.column, AutoencoderRecipe)
        column = cls.of(Autoencoder(len(pixels), pixels.shape[-1]), task.device)

        def runs(parts: int, batch: int) -> list[Training]:
            small = recipe.model_copy(update={"batch": batch})
            return [autoencoder_training([pixels] * parts, small, 0, task.device)]

        return training_plan(task, recipe.batch, runs, lambda: column.score(task.patches))

    @classmethod
    def fit(cls, task: FitTask) -> AutoencoderColumn:
        """Train the network on the pictures of the training parts. Raises TrainingFailed."""
        full_precision()
        recipe = task.profile.recipe(task.column, AutoencoderRecipe)
        run = autoencoder_training(pictures_of(task), recipe, task.seed, task.device)
        train(run, task.folder, with_remaining(task.progress))
        assert isinstance(run.network, Autoencoder)
        return cls.of(run.network, task.device)

    @classmethod
    def of(cls, network: Autoencoder, device: str) -> AutoencoderColumn:
        """The column of a network that is trained."""
        full_precision()
        frozen = network.to(device).eval().requires_grad_(False)
        return cls(frozen, network.channels, network.side)

    @torch.inference_mode()
    def score(self, patches: Patches) -> Finding:
        """The largest difference of each pixel's channels, and the highest of all.

        The published code cuts scores off at 1. Where good parts reach 1, no part could be worse.
        """
        picture = pixels_of(patches)[None].to(self.network.squeeze.weight.device)
        differences = (picture - self.network(picture)).abs().amax(dim=1)
        values = differences.flatten().cpu().numpy()
        return Finding(values, GridLayout(self.side), float(values.max()))

    def without(self, part: int) -> AutoencoderColumn:
        """A network cannot forget a part."""
        raise TypeError(f"an autoencoder cannot forget part {part}")

    def save(self, files: ColumnFiles) -> None:
        """Write the network."""
        state = {name: tensor.cpu() for name, tensor in self.network.state_dict().items()}
        files.add_tensors(AUTOENCODER, state)

    @classmethod
    def load(
        cls, files: ColumnFiles, column: str, profile: Profile, device: str, weights: WeightStore
    ) -> AutoencoderColumn:
        """The inverse of `save`. Raises OSError, KeyError, ValueError."""
        state = files.tensors(AUTOENCODER)
        with unfilled():
            channels = state["encoder.0.0.weight"].shape[1]
            network = Autoencoder(channels, profile.preparation.rgb_size)
        load_strictly(network, state, "the autoencoder")
        return cls.of(network, device)
