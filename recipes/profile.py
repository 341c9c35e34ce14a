"""A profile: the frozen, validated settings from a sample to a decision. A profile is data without code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recipes.backbones import registered
from recipes.banks import BANKS, BankRecipe, Blur, PadimRecipe, Precision, Recipe
from recipes.colour import ColourChoice
from recipes.extraction import Extraction
from recipes.measured import Measured
from recipes.picture import WIDEST, CellsChoice, PictureChoice
from recipes.points import FpfhChoice
from recipes.preparation import Balance, Preparation
from recipes.relief import ReliefChoice
from recipes.trained import NETWORK_STEP, AstRecipe, AutoencoderRecipe, StfpmRecipe

Rule = Literal["single", "add", "dlf_published", "dlf", "tail"]
"""How the scores and maps of the banks become one score and one map, see `banks.decision.rules`."""


_PUBLISHED = ("rgb", "point", "fused")
"""The banks of the paper."""

OneRecipe = TypeVar("OneRecipe", BankRecipe, AutoencoderRecipe, StfpmRecipe, AstRecipe, PadimRecipe)


class Profile(BaseModel):
    """All settings of a product's banks."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    summary: str
    scale: Literal[1, 2, 3] = 1
    """How much finer the grids are than in the paper: 224, 448 or 672 points along an edge. `find_profile`
    multiplies the sides of the image, the cloud and the patches by this number."""
    preparation: Preparation
    extraction: Extraction
    banks: dict[str, Recipe]
    coreset: float = Field(default=0.1, gt=0, le=1)
    """Share of the training patches that the coreset keeps."""
    coreset_sizes: Literal["independent", "cascaded"] = "independent"
    """"cascaded", as in the published code: the RGB and fused banks keep the share of the point bank's row
    count after its own reduction (facts T4)."""
    zero_row: bool = False
    """Whether an all-zero row is appended to the point bank, as in the published three-bank method."""
    coreset_eps: float = Field(default=0.9, ge=1e-3, lt=1)
    """Distortion of the random projection before the coreset. A smaller number keeps more dimensions."""
    precision: Precision = "float32"
    """Number type of bank rows. float16 halves the size on disk and on a GPU. Most scores and map places of a
    bank change by less than 1e-3, a few by up to 5e-3: of two rows that are as near, the other one is found,
    and its local scale counts."""
    blur: Blur = "gaussian"
    place_sigma: float = Field(default=0.5, gt=0, le=WIDEST)
    """Standard deviation of a Gaussian, in places (`banks.columns`), that smooths each bank before banks are
    compared place by place. Banks with different grids locate a defect slightly differently, and a defect
    covers more than one patch."""
    decision: Rule = "dlf"
    coverage: bool = False
    """Whether a part that shows less or more surface than the good parts, or fewer pieces, is worse for that
    (`banks.decision.coverage`)."""
    decision_fit: Literal["held-out", "training"] = "held-out"
    """Good parts on which the decision is fitted. The published code uses the training parts."""
    false_reject_rate: float = Field(default=0.01, gt=0, lt=1)
    calibration_parts: int = Field(default=60, ge=1)
    """Number of good parts for decision, threshold and colours. If there are fewer validation parts, training
    parts are added. Each added part is scored without its own rows in the banks."""

    def resolved(self, measured: Measured | None) -> Profile:
        """The profile with a number for every length that follows the product.

        measured: of the product; None where no cloud could be measured, which gives the published numbers.
        """
        extraction = self.extraction.resolved(measured)
        preparation = self.preparation.resolved(measured)
        return self.model_copy(update={"preparation": preparation, "extraction": extraction})

    def as_built(self, built: Profile) -> Profile:
        """The profile with the numbers of a version wherever it follows the product, whichever source built
        the version. built: the profile of the version."""
        followed = _followed(self.model_dump(), self.resolved(None).model_dump(), built.model_dump())
        rgb = built.extraction.rgb
        profile = self.model_validate(followed).balanced(built.preparation.balance)
        profile = profile.with_relief(built.extraction.relief)
        profile = profile.with_usual_colour(built.extraction.colour)
        return profile.coloured(None if rgb is None else rgb.colour)

    def coloured(self, factor: float | None) -> Profile:
        """The profile with this factor of the plain colour, if it still follows the product."""
        return self.model_copy(update={"extraction": self.extraction.coloured(factor)})

    def with_relief(self, choice: ReliefChoice | None) -> Profile:
        """The profile with what is usual for the relief of good parts, if it still follows the product."""
        return self.model_copy(update={"extraction": self.extraction.with_relief(choice)})

    def with_usual_colour(self, choice: ColourChoice | None) -> Profile:
        """The profile with what is usual for the colour bank, if it still follows the product."""
        return self.model_copy(update={"extraction": self.extraction.with_usual_colour(choice)})

    def balanced(self, balance: Balance | None) -> Profile:
        """The profile with the balance of the good parts' images, if it takes drift back and has none yet."""
        if not self.preparation.balance_drift or self.preparation.balance is not None:
            return self
        return self.model_copy(update={"preparation": replace(self.preparation, balance=balance)})

    def recipe(self, bank: str, kind: type[OneRecipe]) -> OneRecipe:
        """The settings of a bank whose method has settings of this kind. Raises TypeError for another one."""
        recipe = self.banks[bank]
        if not isinstance(recipe, kind):
            raise TypeError(f"the settings of bank {bank} are of {recipe.method}, not a {kind.__name__}")
        return recipe

    def kept(self, seen: Mapping[str, int]) -> dict[str, int]:
        """Rows that the coreset of each bank keeps, without the zero row. seen: training patches per bank."""
        if self.coreset_sizes == "cascaded" and "point" in seen:
            reduced = int(self.coreset * seen["point"])
            seen = {name: rows if name == "point" else reduced for name, rows in seen.items()}
        return {name: max(1, int(self.coreset * rows)) for name, rows in seen.items()}

    @model_validator(mode="after")
    def _banks_are_fed(self) -> Profile:
        fed = self.extraction.banks()
        if not self.banks or any(bank not in fed for bank in self.banks):
            raise ValueError(
                f"banks are {list(self.banks)}, but the extraction has features for {list(fed)} only"
            )
        if list(self.banks) != [bank for bank in BANKS if bank in self.banks]:
            raise ValueError(f"banks must be in the order {', '.join(BANKS)}")
        return self

    @model_validator(mode="after")
    def _banks_fit(self) -> Profile:
        if self.decision == "single" and len(self.banks) != 1:
            raise ValueError(
                f"decision 'single' needs one bank, not {len(self.banks)}; choose add, dlf or tail"
            )
        others = [name for name in self.banks if name not in _PUBLISHED]
        if self.decision == "dlf_published" and others:
            raise ValueError(
                f"decision 'dlf_published' has no factor for the {others[0]} bank; choose add, dlf or tail"
            )
        shared = [
            name
            for name, recipe in self.banks.items()
            if isinstance(recipe, BankRecipe) and recipe.normalisation == "shared"
        ]
        if shared and not {"rgb", "point"} <= set(self.extraction.banks()):
            raise ValueError(
                f"normalisation 'shared' of bank {shared[0]} needs RGB and point patches; choose own, "
                "channel or none"
            )
        return self

    @model_validator(mode="after")
    def _trained_methods_see_pictures(self) -> Profile:
        picture = self.extraction.picture
        for bank, recipe in self.banks.items():
            if not isinstance(recipe, AutoencoderRecipe | StfpmRecipe | AstRecipe):
                continue
            if bank != "picture" or picture is None:
                raise ValueError(f"the method {recipe.method} is for the picture bank, not for {bank}")
            if isinstance(picture, CellsChoice) != isinstance(recipe, AstRecipe):
                raise ValueError(
                    f"extraction.picture is not for the method {recipe.method}: ast needs a picture of cells "
                    "(with backbone, side and depth), every other method one of pixels (with channels)"
                )
            if isinstance(recipe, StfpmRecipe) and isinstance(picture, PictureChoice):
                if picture.teacher is None or picture.channels != "rgb":
                    raise ValueError("stfpm needs extraction.picture.teacher, and the channels rgb")
                if (teacher := registered(picture.teacher)) is not None:
                    teacher.of_stages(recipe.stages)
            elif isinstance(recipe, AutoencoderRecipe) and self.preparation.rgb_size % NETWORK_STEP:
                raise ValueError(
                    f"preparation.rgb_size must be a multiple of {NETWORK_STEP} for an autoencoder, not "
                    f"{self.preparation.rgb_size}"
                )
        return self

    @model_validator(mode="after")
    def _cells_divide_the_cloud(self) -> Profile:
        picture, size = self.extraction.picture, self.preparation.size
        if isinstance(picture, CellsChoice) and size % picture.side:
            raise ValueError(
                f"preparation.size must be a multiple of extraction.picture.side {picture.side}, not {size}"
            )
        return self

    @model_validator(mode="after")
    def _padim_has_a_grid(self) -> Profile:
        point = self.extraction.point
        if point is not None and point.side is None and isinstance(self.banks.get("point"), PadimRecipe):
            raise ValueError("padim wants patches on a grid, so set point.side to 28 or 56")
        return self

    @model_validator(mode="after")
    def _grid_is_fine_enough(self) -> Profile:
        point, size = self.extraction.point, self.preparation.size
        if point is None or point.side is None:
            return self
        histograms = isinstance(point, FpfhChoice)
        stride, cells = (point.settings.stride, point.cells) if histograms else (1, point.side)
        edge = -(-size // stride)
        if edge < cells:
            raise ValueError(
                f"preparation.size {size} with stride {stride} gives {edge} points along an edge, too few "
                f"for {cells} {'half patches' if cells > point.side else 'patches'}; choose a larger size or "
                "a smaller side"
            )
        return self


def _followed(own: Any, resolved: Any, built: Any) -> Any:
    """`own`, with what `built` has at each field that only `resolved` has a number for."""
    if isinstance(own, dict) and isinstance(resolved, dict) and isinstance(built, dict):
        return {name: _followed(value, resolved[name], built.get(name)) for name, value in own.items()}
    return built if own is None and resolved is not None else own
