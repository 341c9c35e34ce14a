"""A column with a flow that knows good parts, and a student that learned to agree with it on good parts alone
(AST, WACV 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from banks.methods.column_files import ColumnFiles
from banks.methods.method import ColumnPlan, Finding, FitTask, PlanTask, WithoutRows
from banks.methods.trained import pictures_of, training_plan
from models.ast.flow import Flow
from models.ast.student import BLOCKS, Student, differences, highest
from models.ast.training import flow_training, student_training
from models.cells import part_of
from models.features import Patches
from models.layout import GridLayout
from models.numerics.process import full_precision
from models.picture import pixels_of
from models.strict_loading import load_strictly
from models.training import Training, train, with_remaining
from models.unfilled import unfilled
from models.weights.store import WeightStore
from recipes.picture import CellsChoice
from recipes.profile import Profile
from recipes.trained import AstRecipe

AST = "ast"
_SPREAD = 8
"""Pixels of a cell, along an edge, on which the highest value of a map is looked for."""
_KEPT = 4 * (6 * BLOCKS + 2)
"""Bytes that a training step keeps for each cell and channel of the student: inputs of its layers."""


@dataclass(frozen=True)
class AstColumn(WithoutRows):
    """A flow and its student; see `banks.methods.method.Method`."""

    stage: ClassVar[str] = "training"
    forgets: ClassVar[bool] = False
    flow: Flow
    student: Student

    @property
    def dimension(self) -> int:
        """Channels of a cell, and how much of the cell is the part."""
        return self.flow.channels + 1

    @classmethod
    def plan(cls, task: PlanTask) -> ColumnPlan:
        """Bytes from the networks' sizes; scoring and a few steps of each training are timed."""
        recipe = task.profile.recipe(task.column, AstRecipe)
        cells = pixels_of(task.patches)
        column = cls.of(
            Flow(len(cells) - 1, cells.shape[-1]),
            Student(len(cells) - 1, cells.shape[-1], recipe.width),
            task.device,
        )

        def runs(parts: int, batch: int) -> list[Training]:
            small, seen = recipe.model_copy(update={"batch": batch}), [cells] * parts
            return [
                flow_training(seen, small, 0, task.device),
                student_training(seen, small, column.flow, 0),
            ]

        return training_plan(
            task, recipe.batch, runs, lambda: column.score(task.patches), place_bytes=_KEPT * recipe.width
        )

    @classmethod
    def fit(cls, task: FitTask) -> AstColumn:
        """Train the flow, then its student. Raises TrainingFailed."""
        full_precision()
        recipe, pictures = task.profile.recipe(task.column, AstRecipe), pictures_of(task)
        teaching = flow_training(pictures, recipe, task.seed, task.device)
        flow = teaching.network
        assert isinstance(flow, Flow)
        train(teaching, task.folder / "teacher", _told(task, "teacher", 0))
        learning = student_training(pictures, recipe, flow.eval().requires_grad_(False), task.seed)
        train(learning, task.folder / "student", _told(task, "student", teaching.steps))
        assert isinstance(learning.network, Student)
        return cls.of(flow, learning.network, task.device)

    @classmethod
    def of(cls, flow: Flow, student: Student, device: str) -> AstColumn:
        """The column of networks that are trained."""
        full_precision()
        for network in (flow, student):
            network.to(device).eval().requires_grad_(False)
        return cls(flow, student)

    @torch.inference_mode()
    def score(self, patches: Patches) -> Finding:
        """How far the student is from the flow at each cell; the highest value of the map that is spread over
        the pixels of the cells. Where spreading goes below all cells, it is 0."""
        cells, part = part_of(pixels_of(patches)[None].to(self.flow.position.device))
        numbers, _ = self.flow(cells)
        found = differences(numbers, self.student(cells), part)
        side = self.flow.side
        return Finding(
            found.flatten().cpu().numpy(), GridLayout(side), max(0.0, highest(found, _SPREAD * side))
        )

    def without(self, part: int) -> AstColumn:
        """A network cannot forget a part."""
        raise TypeError(f"a flow and its student cannot forget part {part}")

    def save(self, files: ColumnFiles) -> None:
        """Write both networks."""
        state = _both(self.flow, self.student).state_dict()
        files.add_tensors(AST, {name: tensor.cpu() for name, tensor in state.items()})

    @classmethod
    def load(
        cls, files: ColumnFiles, column: str, profile: Profile, device: str, weights: WeightStore
    ) -> AstColumn:
        """The inverse of `save`. Raises OSError, KeyError, ValueError."""
        state, picture = files.tensors(AST), profile.extraction.picture
        assert isinstance(picture, CellsChoice), "a profile that was validated"
        channels, width = len(state["student.last.bias"]), profile.recipe(column, AstRecipe).width
        with unfilled():
            flow, student = Flow(channels, picture.side), Student(channels, picture.side, width)
        load_strictly(_both(flow, student), state, "the flow and its student")
        return cls.of(flow, student, device)


def _both(flow: Flow, student: Student) -> nn.Module:
    return nn.ModuleDict({"flow": flow, "student": student})


def _told(task: FitTask, name: str, before: int) -> Callable[[int, int, float], None]:
    """A callback for `train` of one of two networks that take as many steps. The remaining time is that
    network's."""
    return with_remaining(
        lambda done, total, note: task.progress(before + done, 2 * total, f"{name}: {note}")
    )
