"""Objects of one object store: bytes under keys, below one URL, through fsspec.

What is put is whole or absent, on S3 because S3 does so, in a folder (`file://`) by a rename.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from models.atomic_file import flush, replacing, write_atomically

PIECE_BYTES = 16 << 20
"""Bytes that are read or sent at once."""
_URL = re.compile(r"[a-z][a-z0-9+.-]*://")
_EXTRAS = {"s3": "object-store", "s3a": "object-store"}
"""Extras of Tribank with the packages of a protocol."""


class StoreFailed(RuntimeError):
    """The store cannot be used. The message says why: its URL, its package, the way there, or its answer."""


class ObjectTooLarge(ValueError):
    """An object is larger than it may be."""


class Objects:
    """The objects of a store. Keys are names joined by slashes, and below the URL.

    One thread at a time may put. All methods raise StoreFailed, and OSError where the disk under a folder is
    full.
    """

    def __init__(self, url: str) -> None:
        """url: such as s3://bucket/prefix. Credentials come from the environment, as the protocol's package
        reads them."""
        if not _URL.match(url) or "::" in url:
            raise StoreFailed(f"{url} is no URL of one object store. Write it as s3://bucket/prefix.")
        if urlsplit(url).password:
            raise StoreFailed("The URL holds a password. Leave it out, and put it in the environment.")
        self.url = url.rstrip("/")
        protocol = url.partition("://")[0]
        try:
            system, root = fsspec.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        except ImportError as error:
            extra = _EXTRAS.get(protocol)
            detail = f"Install it: pip install 'tribank[{extra}]'." if extra else f"{error}."
            raise StoreFailed(f"{protocol}:// needs a package that is not installed. {detail}") from None
        except ValueError as error:
            raise StoreFailed(f"{self.url} cannot be used: {error}.") from error
        self._system: Any = system
        self._root = root.rstrip("/")
        self._is_folder = isinstance(system, LocalFileSystem)

    def names(self, folder: str) -> list[str]:
        """The names in a folder, one level deep, sorted; none where there is no folder."""
        with self._reached():
            try:
                entries = self._system.ls(self._place(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted(PurePosixPath(entry).name for entry in entries)

    def size(self, key: str) -> int | None:
        """Bytes of an object; None where there is none. Links and folders are no objects."""
        with self._reached():
            try:
                facts = self._system.info(self._place(key))
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as error:
                if isinstance(error, PermissionError) or error.errno == errno.EINVAL:
                    with suppress(FileNotFoundError):  # S3 says why to whoever asks for a list
                        self._system.ls(self._root, detail=False)
                raise
        is_object = facts["type"] == "file" and not facts.get("islink")
        return int(facts["size"]) if is_object else None

    def pieces(self, key: str) -> Iterator[bytes]:
        """The bytes of an object, at most 16 MiB at once. Nothing for an object that is absent."""
        size = self.size(key) or 0
        for start in range(0, size, PIECE_BYTES):
            end = min(start + PIECE_BYTES, size)
            with self._reached():
                piece: bytes = self._system.cat_file(self._place(key), start=start, end=end)
            if len(piece) != end - start:
                raise StoreFailed(f"{self.url} sent {len(piece)} bytes of {key} in place of {end - start}.")
            yield piece

    def read(self, key: str, most: int) -> bytes | None:
        """A small object; None where there is none. Raises ObjectTooLarge above `most` bytes."""
        size = self.size(key)
        if size is None:
            return None
        if size > most:
            raise ObjectTooLarge(f"{self.url}/{key} is larger than {most} bytes.")
        return b"".join(self.pieces(key))

    def put(self, key: str, file: Path) -> None:
        """Put a file there, whole or not at all. Raises OSError where the file cannot be read."""
        place = self._place(key)
        with file.open("rb") as source, self._reached():
            if self._is_folder:
                self._make_folder(place)
                with replacing(Path(place)) as fresh, fresh.open("wb") as target:
                    shutil.copyfileobj(source, target)
                return
            with self._system.transaction, self._system.open(place, "wb", block_size=PIECE_BYTES) as target:
                shutil.copyfileobj(source, target, PIECE_BYTES)

    def create(self, key: str, content: bytes) -> bool:
        """Put an object there unless there is one. Returns whether it was put."""
        place = self._place(key)
        with self._reached():
            try:
                if self._is_folder:
                    self._create_file(Path(place), content)
                else:
                    self._system.pipe_file(place, content, mode="create")
            except FileExistsError:
                return False
        return True

    def replace(self, key: str, content: bytes) -> None:
        """Put an object there, in the place of another one."""
        place = self._place(key)
        with self._reached():
            if self._is_folder:
                self._make_folder(place)
                write_atomically(Path(place), content)
            else:
                self._system.pipe_file(place, content)

    def _place(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _make_folder(self, place: str) -> None:
        Path(place).parent.mkdir(parents=True, exist_ok=True)

    def _create_file(self, place: Path, content: bytes) -> None:
        """Raises FileExistsError."""
        self._make_folder(str(place))
        fresh = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
        try:
            fresh.write_bytes(content)
            flush(fresh)
            os.link(fresh, place)
        finally:
            fresh.unlink(missing_ok=True)
        flush(place.parent)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """What a protocol's package raises is not known before: fsspec has no error of its own."""
        try:
            yield
        except Exception as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # the disk under a folder is full
            reason = str(error).rstrip(".") or type(error).__name__
            raise StoreFailed(f"{self.url} cannot be used: {reason}.") from error
