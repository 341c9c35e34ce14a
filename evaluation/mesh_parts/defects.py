"""Every defect of mesh parts by name, and the family that says which sensor can see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from numpy.random import Generator

from evaluation.mesh_parts import break_defects, form_defects, paint_defects
from evaluation.mesh_parts.blank import Blank, Spoilt


@dataclass(frozen=True)
class Defect:
    """apply: a good part, randomness, severity in [0, 1] -> the spoilt part."""

    family: Literal["colour", "shape", "both"]
    apply: Callable[[Blank, Generator, float], Spoilt]


DEFECTS: Mapping[str, Defect] = MappingProxyType(
    {
        "stain": Defect("colour", paint_defects.stain),
        "tint": Defect("colour", paint_defects.tint),
        "print_missing": Defect("colour", paint_defects.print_missing),
        "dent": Defect("shape", form_defects.dent),
        "bump": Defect("shape", form_defects.bump),
        "warp": Defect("shape", form_defects.warp),
        "bent": Defect("shape", form_defects.bent),
        "crack": Defect("both", break_defects.crack),
        "hole": Defect("both", break_defects.hole),
        "scratch": Defect("both", break_defects.scratch),
        "missing": Defect("both", break_defects.missing),
        "broken": Defect("both", break_defects.broken),
    }
)

FAMILIES: Mapping[str, str] = MappingProxyType({name: defect.family for name, defect in DEFECTS.items()})
"""Defect name -> "colour" (the depth sensor sees its noise at most), "shape" (the coat stays) or "both"."""
