"""Settings of the colour extractor: the plain colour of a part's surface, and its difference from around."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from recipes.usual import Usual, check_usual

CHANNELS = 9
"""See `models.colour.extractor`."""


@dataclass(frozen=True, slots=True)
class ColourChoice:
    """Settings of the colour extractor.

    Attributes:
        side: patches along one edge.
        usual: what is usual on the product's good parts. None follows the product, and scales nothing.

    Raises ValueError for impossible numbers.
    """

    side: Literal[28, 56, 84] = 28
    usual: Usual | None = None

    def __post_init__(self) -> None:
        if self.usual is not None:
            check_usual(self.usual, CHANNELS)

    def fitted(self, usual: Usual | None) -> ColourChoice:
        """The same settings with what is usual on good parts, if that still follows the product."""
        return self if self.usual is not None else replace(self, usual=usual)
