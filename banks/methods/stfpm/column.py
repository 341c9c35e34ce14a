"""A column with a network that learned to see good parts as its teacher does (STFPM, BMVC 2021).

Where a part is not as good parts are, student and teacher differ: only the teacher has seen such things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from banks.methods.column_files import ColumnFiles
from banks.methods.method import ColumnPlan, Finding, FitTask, PlanTask, WithoutRows
from banks.methods.trained import pictures_of, training_plan
from models.features import Patches
from models.layout import GridLayout
from models.numerics.process import full_precision
from models.picture import pixels_of
from models.rgb.backbones import rgb_backbone
from models.stfpm.pyramid import Pyramid, differences, joined, spread, student_of, teacher_of
from models.stfpm.training import stfpm_training
from models.strict_loading import load_strictly
from models.training import Training, train, with_remaining
from models.unfilled import unfilled
from models.weights.networks import shared
from models.weights.store import WeightStore
from recipes.picture import PictureChoice
from recipes.profile import Profile
from recipes.trained import StfpmRecipe

STUDENT = "student"


@dataclass(frozen=True)
class StfpmColumn(WithoutRows):
    """A student and its teacher; see `banks.methods.method.Method`."""

    stage: ClassVar[str] = "training"
    forgets: ClassVar[bool] = False
    teacher: Pyramid
    student: Pyramid

    @property
    def dimension(self) -> int:
        """Channels of a picture."""
        return 3

    @classmethod
    def plan(cls, task: PlanTask) -> ColumnPlan:
        """Bytes from the network's size; scoring and a few training steps are timed."""
        recipe = task.profile.recipe(task.column, StfpmRecipe)
        teacher = _teacher(task.profile, recipe, task.weights, task.device)
        student = _student(task.profile, recipe, 0, task.device)
        pixels = pixels_of(task.patches)

        def runs(parts: int, batch: int) -> list[Training]:
            small = recipe.model_copy(update={"batch": batch})
            return [stfpm_training([pixels] * parts, small, teacher, student, 0)]

        column = cls(teacher, student)
        return training_plan(task, recipe.batch, runs, lambda: column.score(task.patches))

    @classmethod
    def fit(cls, task: FitTask) -> StfpmColumn:
        """Train the student on the pictures of the training parts. Raises TrainingFailed, MissingWeights."""
        full_precision()
        recipe = task.profile.recipe(task.column, StfpmRecipe)
        teacher = _teacher(task.profile, recipe, task.weights, task.device)
        student = _student(task.profile, recipe, task.seed, task.device)
        run = stfpm_training(pictures_of(task), recipe, teacher, student, task.seed)
        train(run, task.folder, with_remaining(task.progress))
        return cls(teacher, student.eval().requires_grad_(False))

    @torch.inference_mode()
    def score(self, patches: Patches) -> Finding:
        """The product of the maps on the finest grid; the highest value of it on the picture's grid."""
        picture = pixels_of(patches)[None].to(self.teacher.mean.device)
        self.student.eval()
        found = joined(differences(self.teacher(picture), self.student(picture)))
        highest = spread(found, picture.shape[-2:]).amax().item()
        return Finding(found.flatten().cpu().numpy(), GridLayout(found.shape[-1]), highest)

    def without(self, part: int) -> StfpmColumn:
        """A network cannot forget a part."""
        raise TypeError(f"a student cannot forget part {part}")

    def save(self, files: ColumnFiles) -> None:
        """Write the student. The teacher is the weight store's."""
        files.add_tensors(STUDENT, {name: one.cpu() for name, one in self.student.state_dict().items()})

    @classmethod
    def load(
        cls, files: ColumnFiles, column: str, profile: Profile, device: str, weights: WeightStore
    ) -> StfpmColumn:
        """The inverse of `save`. Raises OSError, ValueError, MissingWeights."""
        full_precision()
        recipe = profile.recipe(column, StfpmRecipe)
        with unfilled():
            student = Pyramid(_backbone(profile), recipe.stages)
        load_strictly(student, files.tensors(STUDENT), "the student")
        student.to(device).eval().requires_grad_(False)
        return cls(_teacher(profile, recipe, weights, device), student)


def _backbone(profile: Profile) -> str:
    picture = profile.extraction.picture
    assert isinstance(picture, PictureChoice), "a profile that was validated"
    assert picture.teacher is not None
    return picture.teacher


def _teacher(profile: Profile, recipe: StfpmRecipe, weights: WeightStore, device: str) -> Pyramid:
    """The frozen network; products of one recipe share it."""
    name = _backbone(profile)
    of = rgb_backbone(name).weights
    digest = weights.describe(of).sha256
    return shared(
        ("stfpm", name, recipe.stages, digest, device),
        lambda: teacher_of(name, recipe.stages, weights.load(of), device),
    )


def _student(profile: Profile, recipe: StfpmRecipe, seed: int, device: str) -> Pyramid:
    return student_of(_backbone(profile), recipe.stages, seed, device)
