"""What a path or a query names: one type each, so that the API document describes each once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, BeforeValidator


def _written(value: object) -> object:
    """Pydantic would take a number for seconds or, if it is large, milliseconds since 1970."""
    if isinstance(value, str) and value.strip("+-0123456789.eE") == "":
        raise ValueError("write it as 2026-07-01T06:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A time in a query, with its time zone."""

ProductName = Annotated[
    str, Path(description="A product, as GET /v1/products names it.", examples=["cookie"])
]
VersionName = Annotated[str, Path(description="One of the product's bank versions.", examples=["v1"])]
ActiveVersion = Annotated[
    str, Path(description="The active bank version; others are not served.", examples=["v1"])
]
JobId = Annotated[
    str,
    Path(description="As the answer that made the job says.", examples=["3f0c2c0e5b7e4a8c9d2d7b7c1f1f6a10"]),
]
ResultId = Annotated[
    str, Path(description="As the answer to the part says.", examples=["5b1f0f6f2f0e4a7f9f1f6b0d7d3f9a10"])
]
