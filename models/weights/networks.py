"""Networks in memory, shared by content: whatever needs the same one on the same device gets the same object.

A server of two hundred products of one recipe so holds its networks once. A network that nobody uses any
more is freed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

_T = TypeVar("_T")
_networks: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
_lock = threading.RLock()


def shared(key: Hashable, make: Callable[[], _T]) -> _T:
    """What was made for `key` before and is in use, else what `make` gives now.

    key: all that the network depends on: its settings, the sha256 of its weights, its device. Networks must
    not be changed once they are made. On a GPU only the thread that scores may run them; on a CPU they keep
    nothing from part to part, so a loader may score a probe while a part is scored. From any thread.
    """
    with _lock:
        found = _networks.get(key)
        if found is None:
            found = _networks[key] = make()
        return found
