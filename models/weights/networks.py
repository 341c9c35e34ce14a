"""Networks in memory, shared by content: equal networks on the same device are one object.

So a server with two hundred products of one recipe holds each network once. A network without users is freed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

_T = TypeVar("_T")
_networks: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
_lock = threading.RLock()


def shared(key: Hashable, make: Callable[[], _T]) -> _T:
    """The network of `key` if it is in use, else the network from `make`. May be called from any thread.

    key: everything that the network depends on: its settings, the sha256 of its weights, its device.
    make: builds the network.

    A shared network must not be changed. On a GPU, only the worker thread may run it. On a CPU, a network
    keeps no state from part to part, so a loader may score a probe while a part is scored.
    """
    with _lock:
        network = _networks.get(key)
        if network is None:
            network = _networks[key] = make()
        return network
