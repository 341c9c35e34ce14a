"""What a server needs before it loads anything: its port, and a folder of banks.

Both are looked at first, so that a mistake is told in a sentence at once, not after the banks are in memory.
"""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Any

_REASONS = {
    errno.EADDRINUSE: "another program listens there. Stop that one, or choose another port "
    "(--port, TRIBANK_PORT)",
    errno.EADDRNOTAVAIL: "this machine has no such address. Choose one of its own (--host, TRIBANK_HOST)",
    errno.EACCES: "this user may not. Choose a port above 1023 (--port, TRIBANK_PORT)",
}


class CannotStart(RuntimeError):
    """A person has to mend something before the server can start; the message says what."""


def open_listeners(host: str, port: int) -> list[socket.socket]:
    """Sockets that hold the port on every address of the host, and do not listen yet.

    An address of a name is left out where the machine lacks it and has another one, as without IPv6.
    Raises CannotStart where none can be had, or one is taken.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotStart(
            f"The host '{host}' is not known here ({error.strerror}). Choose another (--host, TRIBANK_HOST)."
        ) from None
    opened: list[socket.socket] = []
    lacking: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            opened.append(_bound(family, kind, protocol, address))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                for listener in opened:
                    listener.close()
                raise _refusal(host, port, error) from None
            lacking = error
    if not opened:
        raise _refusal(host, port, lacking or OSError(errno.EADDRNOTAVAIL, "no address"))
    return opened


def check_banks(root: Path) -> None:
    """Raises CannotStart where the root of the banks is no folder that can be read."""
    try:
        next(root.iterdir(), None)
    except FileNotFoundError:
        raise CannotStart(
            f"There is no folder {root} of banks. Build one with 'tribank build', say where it is "
            f"(--banks, TRIBANK_BANKS), or start without any: mkdir -p {root}"
        ) from None
    except OSError as error:
        raise CannotStart(
            f"{root} is no folder of banks that can be read ({error.strerror}). Say where they are (--banks, "
            "TRIBANK_BANKS)."
        ) from None


def _bound(family: int, kind: int, protocol: int, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, kind, protocol)
    try:
        # A port whose last connections are still winding down may be taken again.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _refusal(host: str, port: int, error: OSError) -> CannotStart:
    reason = _REASONS.get(error.errno or 0, str(error.strerror))
    return CannotStart(f"Cannot listen on {host or 'any address'}, port {port}: {reason}.")
