"""API keys and their roles. One file of the state folder holds the hashes of the keys."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models.atomic_file import PRIVATE, write_atomically
from recipes.sentences import sentences
from service.http.roles import Role


class BadKeys(Exception):
    """The keys cannot be used. The message says what to do."""


class Key(BaseModel):
    """One key.

    sha256: hash of the key, hexadecimal. A slow hash is not needed: a key is 256 random bits, not a password.
    rate: most parts or batches a second. None: no limit.
    products: the only products that the key may score, see and change. None: all products.
    expires: the key is not valid from this time on. None: it is valid until it is revoked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    role: Role
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: datetime
    rate: float | None = Field(None, gt=0, allow_inf_nan=False)
    products: tuple[Annotated[str, Field(min_length=1, max_length=63)], ...] | None = Field(
        None, min_length=1
    )
    expires: AwareDatetime | None = None

    def is_expired(self) -> bool:
        """Whether the key is no longer valid."""
        return self.expires is not None and self.expires <= datetime.now(UTC)


class _Content(BaseModel):
    keys: tuple[Key, ...] = ()


class Keys:
    """The keys of one state folder. The file is read again after each change."""

    def __init__(self, state: Path) -> None:
        self._path = state / "keys.json"
        self._made_path = state / "keys.made"
        self._made = False
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    @property
    def exist(self) -> bool:
        """Whether a key was ever made here, even if all keys are revoked or their file was lost. A lost file
        must not open the server. The file `keys.made` remembers this after a restart."""
        if not self._made:
            self._made = self._path.exists() or self._made_path.exists()
            if self._made:
                self._mark()
        return self._made

    @property
    def gone(self) -> bool:
        """Whether keys were made here and their file is missing."""
        return self.exist and not self._path.exists()

    def all(self) -> tuple[Key, ...]:
        """The valid keys. Raises BadKeys if the file is damaged."""
        try:
            stat = self._path.stat()
            seen = stat.st_mtime_ns, stat.st_ino, stat.st_size
            if seen != self._seen:
                self._keys = _Content.model_validate_json(self._path.read_bytes()).keys
                self._seen = seen
        except (FileNotFoundError, NotADirectoryError):
            self._keys, self._seen = (), None
        except ValidationError:
            raise BadKeys(
                f"The file {self._path} is damaged. Remove the file and add the keys again."
            ) from None
        return self._keys

    def find(self, secret: str) -> Key | None:
        """The key with this secret. Every key is compared in constant time.

        While the file is damaged or cannot be read, the keys that were read before stay valid.
        """
        try:
            keys = self.all()
        except (BadKeys, OSError):
            keys = self._keys
        digest = _digest(secret)
        found = [key for key in keys if hmac.compare_digest(key.sha256, digest)]
        return found[0] if found else None

    def add(
        self,
        name: str,
        role: Role,
        rate: float | None = None,
        *,
        products: Sequence[str] | None = None,
        expires: datetime | None = None,
    ) -> str:
        """Add a key. The arguments are the fields of `Key`.

        Returns the secret of the key, which is not stored. Raises BadKeys for a wrong value or a used name.
        """
        secret = "tb_" + secrets.token_urlsafe(32)
        try:
            key = Key(
                name=name,
                role=role,
                sha256=_digest(secret),
                created=datetime.now(UTC),
                rate=rate,
                products=None if products is None else tuple(products),
                expires=expires,
            )
        except ValidationError as error:
            raise BadKeys("\n".join(f"{sentence}." for sentence in sentences(error))) from None
        with self._locked():
            keys = self.all()
            if any(other.name == name for other in keys):
                raise BadKeys(f"Key '{name}' exists already. Revoke the key first, or choose another name.")
            self._write((*keys, key))
            self._mark()
        return secret

    def revoke(self, name: str) -> None:
        """Remove a key. Raises BadKeys if no key has this name."""
        with self._locked():
            keys = self.all()
            left = tuple(key for key in keys if key.name != name)
            if len(left) == len(keys):
                raise BadKeys(f"No key has the name '{name}'. 'tribank keys list' shows all keys.")
            self._write(left)

    def _mark(self) -> None:
        with suppress(OSError):  # a read-only folder: this process remembers the keys until its end
            self._made_path.touch(PRIVATE)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the keys against changes by other processes, so that no change is lost."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with (self._path.parent / "keys.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, keys: tuple[Key, ...]) -> None:
        write_atomically(
            self._path, _Content(keys=keys).model_dump_json(indent=1, exclude_none=True), mode=PRIVATE
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
