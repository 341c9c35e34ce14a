"""Speaks to the warm process (tests/faults/warm.py). As a program: `warm_client.py SOCKET ARGUMENT...` is
`tribank ARGUMENT...`.

The program hands its folder, its environment and its two streams to the process that is forked for it, hands
SIGINT and SIGTERM on, and ends as that process does. Killed, it takes that process with it. It imports
nothing that takes time.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

LIMIT = 1 << 17
"""Bytes of a message."""


def connected(place: str) -> socket.socket:
    """A connection to the warm process that listens there. Raises OSError where none listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(place)
    except OSError:
        connection.close()
        raise
    return connection


def asked(connection: socket.socket, request: Mapping[str, Any], streams: tuple[int, ...] = ()) -> Any:
    """The answer to one request. streams: output and errors of a command that is to start."""
    socket.send_fds(connection, [json.dumps(request).encode()], streams)
    answer = connection.recv(LIMIT)
    assert answer, "the warm process has ended"
    return json.loads(answer)


def _main(place: str, *arguments: str) -> None:
    request = {"argv": arguments, "env": dict(os.environ), "folder": os.getcwd(), "hook": ""}
    with connected(place) as connection:
        pid = asked(connection, request, (1, 2))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.kill(pid, number))
        select.select([os.pidfd_open(pid)], [], [])
        status = asked(connection, {"poll": pid})
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    _main(*sys.argv[1:])
