"""Every defect by name, and the family that says which sensor can see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from numpy.random import Generator

from evaluation.demo_parts import colour_defects, shape_defects, solid_defects
from evaluation.demo_parts.blank import Blank, Spoilt

Family = Literal["colour", "shape", "both"]


@dataclass(frozen=True)
class Defect:
    """apply: a good part, randomness, severity in [0, 1] -> the spoilt part."""

    family: Family
    apply: Callable[[Blank, Generator, float], Spoilt]


DEFECTS: Mapping[str, Defect] = MappingProxyType(
    {
        "stain": Defect("colour", colour_defects.stain),
        "tint": Defect("colour", colour_defects.tint),
        "scratch": Defect("colour", colour_defects.scratch),
        "speckle": Defect("colour", colour_defects.speckle),
        "dent": Defect("shape", shape_defects.dent),
        "bump": Defect("shape", shape_defects.bump),
        "warp": Defect("shape", shape_defects.warp),
        "crush": Defect("shape", shape_defects.crush),
        "hole": Defect("both", solid_defects.hole),
        "cut": Defect("both", solid_defects.cut),
        "chipped_edge": Defect("both", solid_defects.chipped_edge),
        "missing": Defect("both", solid_defects.missing),
        "foreign_body": Defect("both", solid_defects.foreign_body),
    }
)

FAMILIES: Mapping[str, str] = MappingProxyType({name: defect.family for name, defect in DEFECTS.items()})
"""Defect name -> "colour" (only the camera sees it), "shape" (only the scanner) or "both"."""
