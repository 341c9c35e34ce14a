"""The region of interest of a product, as polygons over its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Look = Literal["nothing", "colour", "shape", "both"]
BITS: Mapping[Look, int] = MappingProxyType({"nothing": 0, "colour": 1, "shape": 2, "both": 3})
"""What is looked at in a pixel, as bits: 1 for colour, 2 for shape."""

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


class Polygon(BaseModel):
    """An area of the picture.

    points: x and y of the corners in pixels of the source; 0, 0 is the outer corner of the first pixel. A
        pixel belongs to the area if its centre does.
    look: what is looked at in the area.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: tuple[tuple[Coordinate, Coordinate], ...] = Field(min_length=3, max_length=1000)
    look: Look = "both"


class Polygons(BaseModel):
    """The region of interest of a product.

    polygons: areas; where two overlap, the later one counts.
    elsewhere: what is looked at outside all areas.
    width, height: of the picture that the polygons were drawn on, pixels; None if unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    polygons: tuple[Polygon, ...] = Field(min_length=1, max_length=100)
    elsewhere: Look = "nothing"
    width: int | None = Field(None, ge=1)
    height: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _look_at_something(self) -> Polygons:
        if self.elsewhere == "nothing" and all(polygon.look == "nothing" for polygon in self.polygons):
            raise ValueError("nothing is looked at: give a polygon another look, or elsewhere")
        return self
