"""A real S3 server on loopback, in a process of its own: moto's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

SECRET = "not-for-any-log"
_PROGRAM = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@dataclass(frozen=True)
class S3Server:
    """The server. address: such as http://127.0.0.1:4711."""

    address: str
    process: subprocess.Popen[str]

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client needs in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Start the server, and end it."""
    command = [sys.executable, "-W", "ignore", "-c", _PROGRAM]
    pipe, none = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=none) as process:
        try:
            assert process.stdout is not None
            yield S3Server(f"http://127.0.0.1:{process.stdout.readline().strip()}", process)
        finally:
            process.kill()
