"""Sockets that are taken before a server loads anything."""

from __future__ import annotations

import socket

import pytest

from service.http.listening import CannotStart, open_listeners


def test_a_port_that_is_taken_is_refused_and_a_free_one_is_held(free_port: int) -> None:
    (held,) = open_listeners("127.0.0.1", free_port)
    with held:
        assert held.getsockname() == ("127.0.0.1", free_port)
        held.listen()
        with pytest.raises(CannotStart, match=str(free_port)):
            open_listeners("127.0.0.1", free_port)
    with socket.create_server(("127.0.0.1", free_port)):
        pass


def test_a_name_is_held_on_the_addresses_that_this_machine_has() -> None:
    listeners = open_listeners("localhost", 0)
    addresses = {listener.getsockname()[0] for listener in listeners}
    for listener in listeners:
        listener.close()
    assert addresses & {"127.0.0.1", "::1"}


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_a_host_of_others_is_refused(host: str) -> None:
    with pytest.raises(CannotStart, match=host.replace(".", r"\.")):
        open_listeners(host, 0)
