"""API keys: who may score and who may manage, in one file of the state folder that holds hashes only."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.atomic_file import PRIVATE, write_atomically

Role = Literal["score", "manage"]


class BadKeys(Exception):
    """The keys cannot be used as they are; the message says what to do."""


class Key(BaseModel):
    """One key. sha256: hex, of the key; no slow hash is needed, as a key is 256 random bits, no password.

    rate: most parts or batches a second; None is no bound.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    role: Role
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: datetime
    rate: float | None = Field(None, gt=0, allow_inf_nan=False)


class _Content(BaseModel):
    keys: tuple[Key, ...] = ()


class Keys:
    """The keys of one state folder. Read again whenever the file was replaced."""

    def __init__(self, state: Path) -> None:
        self._path = state / "keys.json"
        self._made_path = state / "keys.made"
        self._made = False
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    @property
    def exist(self) -> bool:
        """Whether keys were ever made here, even if all are revoked or their file is gone: what is lost must
        open nothing. `keys.made` beside the file says so after a restart too."""
        if not self._made:
            self._made = self._path.exists() or self._made_path.exists()
            if self._made:
                self._mark()
        return self._made

    @property
    def gone(self) -> bool:
        """Whether keys were made here and their file is not there."""
        return self.exist and not self._path.exists()

    def all(self) -> tuple[Key, ...]:
        """The keys in force. Raises BadKeys where the file cannot be understood."""
        try:
            stat = self._path.stat()
            seen = stat.st_mtime_ns, stat.st_ino, stat.st_size
            if seen != self._seen:
                self._keys = _Content.model_validate_json(self._path.read_bytes()).keys
                self._seen = seen
        except (FileNotFoundError, NotADirectoryError):
            self._keys, self._seen = (), None
        except ValidationError:
            raise BadKeys(f"{self._path} is damaged. Remove it and add the keys again.") from None
        return self._keys

    def find(self, secret: str) -> Key | None:
        """The key with this secret. Every key is compared, each in constant time.

        While the file is damaged or cannot be read, the keys it held before are in force.
        """
        try:
            keys = self.all()
        except (BadKeys, OSError):
            keys = self._keys
        digest = _digest(secret)
        found = [key for key in keys if hmac.compare_digest(key.sha256, digest)]
        return found[0] if found else None

    def add(self, name: str, role: Role, rate: float | None = None) -> str:
        """The new key's secret, which is kept nowhere. Raises BadKeys for a name that is taken or no name."""
        secret = "tb_" + secrets.token_urlsafe(32)
        try:
            key = Key(name=name, role=role, sha256=_digest(secret), created=datetime.now(UTC), rate=rate)
        except ValidationError:
            raise BadKeys(
                "A key's name is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'; its rate is above 0."
            ) from None
        with self._alone():
            keys = self.all()
            if any(other.name == name for other in keys):
                raise BadKeys(f"There is a key '{name}' already. Revoke it first, or choose another name.")
            self._write((*keys, key))
            self._mark()
        return secret

    def revoke(self, name: str) -> None:
        """Raises BadKeys where there is no such key."""
        with self._alone():
            keys = self.all()
            left = tuple(key for key in keys if key.name != name)
            if len(left) == len(keys):
                raise BadKeys(f"There is no key '{name}'. See 'tribank keys list'.")
            self._write(left)

    def _mark(self) -> None:
        with suppress(OSError):  # a folder that is only read: this process knows it until it ends
            self._made_path.touch(PRIVATE)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Until the end no other process changes the keys, so that of two changes at once none is lost."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with (self._path.parent / "keys.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, keys: tuple[Key, ...]) -> None:
        write_atomically(self._path, _Content(keys=keys).model_dump_json(indent=1), mode=PRIVATE)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
