"""What a path names: one type each for every route, so that the API's document describes each once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

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
