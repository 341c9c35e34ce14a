"""timm and Open3D, imported without what only other parts of them need.

torchvision, which timm imports, and one model of timm's import torch's compiler (`torch._dynamo`). Open3D's
viewer imports dash and plotly. Tribank neither compiles networks nor opens a viewer, and these imports were a
fifth of a command's start. Empty modules take their places while timm or Open3D is imported, and then go:
whoever imports torch's compiler later gets the real one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from models.torchvision_schemas import declare_torchvision_schemas


def import_timm() -> ModuleType:
    """Call this function before the first import of timm. A second call does nothing."""
    with _without("torch._dynamo", "torch._dynamo.utils"):
        declare_torchvision_schemas()
        import timm
    return timm


def import_open3d() -> ModuleType:
    """Call this function before the first import of open3d. A second call does nothing."""
    with _without("dash", "plotly", "plotly.graph_objects"):
        import open3d
    return open3d


class _Empty(ModuleType):
    """Stands in for a module. Whatever is imported from it is a decorator that changes nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []  # it may hold others

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _unchanged


def _unchanged(function: Any = None, *_: object, **__: object) -> Any:
    return function


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Modules of these names that are not loaded yet are empty ones meanwhile."""
    empty = {name: _Empty(name) for name in names if name not in sys.modules}
    sys.modules.update(empty)
    try:
        yield
    finally:
        for name in empty:
            del sys.modules[name]
