"""A real nginx or Caddy before a server under test. `make programs` brings them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until

_PLACES = (None, str(Path(sys.executable).parent), "/usr/sbin")  # None: as PATH says


def _program(name: str) -> str | None:
    return next((found for place in _PLACES if (found := shutil.which(name, path=place))), None)


NGINX, CADDY = _program("nginx"), _program("caddy")
_NGINX_CONFIGURATION = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {site}
}}
"""
_SERVER = "client_max_body_size 0; server {{ listen 127.0.0.1:{port}; {locations} }}"
_CADDY_CONFIGURATION = """
{{
    admin off
    auto_https off
    storage file_system {folder}/caddy
}}
http://127.0.0.1:{port} {{
{site}
}}
"""


@contextmanager
def proxied(folder: Path, locations: str) -> Iterator[str]:
    """An nginx with these `location` blocks, once it answers: its address. folder: for its own files."""
    port = _free_port()
    with _nginx(folder, _SERVER.format(port=port, locations=locations), port) as address:
        yield address


@contextmanager
def behind_nginx(folder: Path, site: str) -> Iterator[str]:
    """An nginx with this content of its `http` block, which listens on port 80, once it answers: its address.

    folder: for its own files. The port is replaced by a free one.
    """
    port = _free_port()
    with _nginx(folder, site.replace("listen 80;", f"listen 127.0.0.1:{port};"), port) as address:
        yield address


@contextmanager
def _nginx(folder: Path, site: str, port: int) -> Iterator[str]:
    assert NGINX is not None
    file = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers may not write below `folder`
    file.write_text(_NGINX_CONFIGURATION.format(user=user, folder=folder, site=site))
    with _running([NGINX, "-p", str(folder), "-c", str(file)], folder, port) as address:
        yield address


@contextmanager
def behind_caddy(folder: Path, site: str) -> Iterator[str]:
    """A Caddy with these lines of a site, once it answers: its address. folder: for its own files."""
    assert CADDY is not None
    port, file = _free_port(), folder / "Caddyfile"
    file.write_text(_CADDY_CONFIGURATION.format(folder=folder, port=port, site=site))
    command = [CADDY, "run", "--config", str(file), "--adapter", "caddyfile"]
    with _running(command, folder, port) as address:
        yield address


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int) -> Iterator[str]:
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    proxy = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port), "the proxy")
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.terminate()
        proxy.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
