"""timm, Open3D and OpenVINO, imported without what only other parts of them need, and imports in less time.

torchvision, which timm imports, and one model of timm's import torch's compiler (`torch._dynamo`). Open3D's
viewer imports dash and plotly. Tribank neither compiles networks nor opens a viewer, and these imports were a
fifth of a command's start. Empty modules take their places while timm or Open3D is imported, and then go:
whoever imports torch's compiler later gets the real one. OpenVINO imports a package that can send statistics
to its makers, and does without that package where it cannot be imported.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def import_timm() -> ModuleType:
    """Call this function before the first import of timm. A second call does nothing."""
    from models.torchvision_schemas import declare_torchvision_schemas  # which imports torch

    with without_compiler():
        declare_torchvision_schemas()
        import timm
    return timm


@contextmanager
def importing() -> Iterator[None]:
    """Inside the block, no collection looks for cycles. Half a million objects of libraries stay, and to look
    at them again and again took a tenth of a command's start. No later collection looks at them either."""
    loaded = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > loaded:
            gc.freeze()
        gc.enable()


@contextmanager
def without_compiler() -> Iterator[None]:
    """Inside the block, torch does without its compiler. The first operation on the meta device would import
    it, which takes most of a second."""
    with _standing_in(_empty("torch._dynamo", "torch._dynamo.utils")):
        yield


def import_open3d() -> ModuleType:
    """Call this function before the first import of open3d. A second call does nothing."""
    with _standing_in(_empty("dash", "plotly", "plotly.graph_objects")):
        import open3d
    return open3d


def import_openvino() -> ModuleType:
    """OpenVINO with its reader of torch's graphs, and without `openvino_telemetry`. Raises ImportError."""
    with _standing_in({"openvino_telemetry": None}):
        import openvino
        import openvino.frontend.pytorch.ts_decoder
    return openvino


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


def _empty(*names: str) -> dict[str, ModuleType]:
    return {name: _Empty(name) for name in names}


@contextmanager
def _standing_in(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Those of the modules that are not loaded yet are these meanwhile. None: it cannot be imported."""
    loaded: dict[str, Any] = sys.modules
    absent = {name: module for name, module in modules.items() if name not in loaded}
    loaded.update(absent)
    try:
        yield
    finally:
        for name in absent:
            del loaded[name]
