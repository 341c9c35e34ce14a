"""The port and the bank folder of a server.

The server checks both before it loads banks, so that a mistake is reported at once.
"""

from __future__ import annotations

import errno
import socket
import ssl
from pathlib import Path
from typing import Any

_REASONS = {
    errno.EADDRINUSE: "another program uses this port. Stop that program, or choose another port with --port "
    "or TRIBANK_PORT",
    errno.EADDRNOTAVAIL: "this computer does not have this address. Choose an address of this computer with "
    "--host or TRIBANK_HOST",
    errno.EACCES: "permission denied. Choose a port above 1023 with --port or TRIBANK_PORT",
}


class CannotStart(RuntimeError):
    """A person has to correct something before the server can start. The message says what to do."""


def open_listeners(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to the port on every address of the host. The sockets do not listen yet.

    An address that this computer does not have, such as an IPv6 address, is skipped if the host has another.
    Raises CannotStart if no address is left, or if a port is in use.
    """
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotStart(
            f"Unknown host '{host}' ({error.strerror}). Choose another host with --host or TRIBANK_HOST."
        ) from None
    opened: list[socket.socket] = []
    missing: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(addresses):
        try:
            opened.append(_bound(family, kind, protocol, address))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                for listener in opened:
                    listener.close()
                raise _refusal(host, port, error) from None
            missing = error
    if not opened:
        raise _refusal(host, port, missing or OSError(errno.EADDRNOTAVAIL, "no address"))
    return opened


def check_banks(root: Path) -> None:
    """Raises CannotStart if the bank folder does not exist or cannot be read."""
    try:
        next(root.iterdir(), None)
    except FileNotFoundError:
        raise CannotStart(
            f"The bank folder {root} does not exist. Build a bank with 'tribank build', choose another "
            f"folder with --banks or TRIBANK_BANKS, or start with an empty folder: mkdir -p {root}"
        ) from None
    except OSError as error:
        raise CannotStart(
            f"The bank folder {root} cannot be read ({error.strerror}). Choose another folder with --banks "
            "or TRIBANK_BANKS."
        ) from None


def check_tls(certificate: Path | None, key: Path | None) -> None:
    """Raises CannotStart if the TLS certificate or its key cannot be used. None: no TLS."""
    if certificate is None or key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error
        raise CannotStart(
            f"The TLS certificate {certificate} with the key {key} cannot be used ({reason}). "
            "Both are PEM files, the key has no password and belongs to the certificate: TRIBANK_TLS_CERT, "
            "TRIBANK_TLS_KEY."
        ) from None


def _bound(family: int, kind: int, protocol: int, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, kind, protocol)
    try:
        # Allows a port whose last connections are still closing.
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
