"""A version as one file: an uncompressed tar that is made while it is sent, and read while it arrives.

    tribank-version.json        format, product, version, sha256 of the manifest, what people said; a checksum
    v3/manifest.json            of at most 16 MiB
    v3/rgb.faiss ...            every file that the manifest lists, once, in any order

Nothing else is accepted: no other entry, no link, no folder, no extended header. So the size of a file is the
size of its entry, and no name leads out of the version's folder. The same version gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

from banks.versions.leftovers import VERSION_NAME
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.seal import parse, sealed, unsealed
from banks.versions.store import PRODUCT_NAME, BankNotFound, BankStore
from banks.versions.travel import MOST_MANIFEST_BYTES, Arrived, BadParcel, Landing, Parcel

FORMAT = 1
HEAD = "tribank-version.json"
_MOST_HEAD_BYTES = 1 << 20
PIECE_BYTES = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_MOST_PADDING_BYTES = tarfile.RECORDSIZE
_FILE_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE)


class Archive:
    """The archive of one version, while it is made. `close` closes the version's files.

    size: bytes of the whole archive.
    """

    def __init__(self, store: BankStore, product: str, version: str | None = None) -> None:
        """Check and open the version's files, so that its deletion cuts nothing.

        version: None is the active one.

        Raises BankNotFound, BadBank, OSError.
        """
        parcel = Parcel.of(store, product, version)
        path = store.path(product, parcel.version)
        self.parcel = parcel
        self._changed = int(Manifest.parsed(parcel.manifest).created.timestamp())
        head = {
            "format": FORMAT,
            "product": product,
            "version": parcel.version,
            "manifest": parcel.digest,
            "said": dict(parcel.said),
        }
        self._held = ExitStack()
        self._files: list[tuple[str, int, IO[bytes]]] = []
        try:
            self._add(HEAD, io.BytesIO(sealed(head).encode()))
            self._add(f"{parcel.version}/{MANIFEST}", io.BytesIO(parcel.manifest))
            for name in parcel.files:
                self._add(f"{parcel.version}/{name}", self._held.enter_context((path / name).open("rb")))
        except FileNotFoundError:
            self.close()
            raise BankNotFound(
                f"Version '{parcel.version}' of product '{product}' is being deleted."
            ) from None
        except BaseException:
            self.close()
            raise
        self.size = sum(_BLOCK + size + _padding(size) for _, size, _ in self._files) + len(_END)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the version's files."""
        self._held.close()

    def pieces(self) -> Iterator[bytes]:
        """The archive, in pieces of at most 1 MiB. To be read once. Raises OSError."""
        for name, size, file in self._files:
            yield self._header(name, size)
            left = size
            while left:
                piece = file.read(min(left, PIECE_BYTES))
                if not piece:
                    raise OSError(f"{name} was cut while it was read")
                left -= len(piece)
                yield piece
            if padding := _padding(size):
                yield bytes(padding)
        yield _END

    def _add(self, name: str, file: IO[bytes]) -> None:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        self._files.append((name, size, file))

    def _header(self, name: str, size: int) -> bytes:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = size, self._changed, 0o644
        return entry.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")  # a file may be larger than 8 GiB


class Unpacker:
    """Reads an archive piece by piece, as it arrives, into a `Landing`. One thread at a time may call it."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._buffer = bytearray()
        self._whole = False
        self._steps = self._run()
        next(self._steps)
        landing.on_close(self._steps.close)

    def feed(self, piece: bytes) -> None:
        """The next bytes. Raises BadParcel, OSError, and as `Landing.begin`."""
        self._steps.send(piece)

    def finish(self) -> None:
        """No more bytes come. Raises BadParcel where something is missing."""
        if not self._whole:
            raise BadParcel("The archive ends too early. Send the whole archive again.")

    def _run(self) -> Generator[None, bytes, None]:
        """The archive in order; takes a piece at each yield."""
        parcel, digest = _parcel((yield from self._small(HEAD, _MOST_HEAD_BYTES)))
        named = f"{parcel.version}/{MANIFEST}"
        manifest = yield from self._small(named, MOST_MANIFEST_BYTES)
        parcel = Parcel(parcel.product, parcel.version, manifest, parcel.said)
        if digest not in (None, parcel.digest):
            raise BadParcel(f"{named} of the archive is not as it was packed (sha256 differs).")
        self._landing.begin(parcel)
        left = dict(parcel.files)
        while left:
            entry = yield from self._header(next(iter(left)))
            name = entry.name.removeprefix(f"{parcel.version}/")
            if name == entry.name or name not in left:
                raise BadParcel(
                    f"The archive has an entry that does not belong there, or twice: {entry.name[:80]!r}."
                )
            yield from self._file(name, entry.size, left.pop(name))
        self._whole = True
        yield from self._zeros()

    def _small(self, name: str, most: int) -> Generator[None, bytes, bytes]:
        """The content of an entry that comes at this place."""
        entry = yield from self._header(name)
        if entry.name != name:
            raise BadParcel(f"This is no archive of a version: it has no {name} where one must be.")
        if entry.size > most:
            raise BadParcel(f"{name} of the archive is larger than {most} bytes.")
        content = yield from self._exactly(entry.size)
        yield from self._exactly(_padding(entry.size))
        return content

    def _header(self, expected: str) -> Generator[None, bytes, tarfile.TarInfo]:
        block = yield from self._exactly(_BLOCK)
        if not any(block):
            raise BadParcel(f"The archive ends before {expected}. Make the archive again.")
        try:
            entry = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise BadParcel(
                "This is no archive of a version, or it is damaged: a header cannot be read. Use the archive "
                "as a server made it, not compressed."
            ) from None
        if entry.type not in _FILE_TYPES or entry.size < 0:
            raise BadParcel(f"The archive has an entry that is no file: {entry.name[:80]!r}.")
        return entry

    def _file(self, name: str, size: int, expected: str) -> Generator[None, bytes, None]:
        """Write one file where it belongs, and compare it with the manifest."""
        place = self._landing.place(name)
        digest, left = hashlib.sha256(), size
        with ExitStack() as held:
            out = None if place is None else held.enter_context(place.open("xb"))
            while left:
                piece = yield from self._some(left)
                digest.update(piece)
                if out is not None:
                    out.write(piece)
                left -= len(piece)
        if digest.hexdigest() != expected:
            raise BadParcel(f"{name} of the archive is not as its manifest says (sha256 differs).")
        yield from self._exactly(_padding(size))

    def _zeros(self) -> Generator[None, bytes, None]:
        """What may follow the last file."""
        most = len(_END) + _MOST_PADDING_BYTES
        while True:
            most -= len(self._buffer)
            if most < 0 or any(self._buffer):
                raise BadParcel("The archive goes on after its last file.")
            self._buffer.clear()
            self._buffer += yield

    def _exactly(self, count: int) -> Generator[None, bytes, bytes]:
        while len(self._buffer) < count:
            self._buffer += yield
        return self._taken(count)

    def _some(self, most: int) -> Generator[None, bytes, bytes]:
        """At least one byte, and at most so many."""
        while not self._buffer:
            self._buffer += yield
        return self._taken(most)

    def _taken(self, most: int) -> bytes:
        taken = bytes(self._buffer[:most])
        del self._buffer[:most]
        return taken


def take_in(
    file: Path,
    target: BankStore,
    product: str,
    *,
    check: Callable[[Path], None] | None = None,
    activate: bool = True,
) -> Arrived:
    """Publish the version in an archive. check, activate: as of `Landing.end`.

    Raises BadParcel, OtherProduct, OSError, and whatever `check` raises.
    """
    with Landing(target, product) as landing, file.open("rb") as archive:
        unpacker = Unpacker(landing)
        while piece := archive.read(PIECE_BYTES):
            unpacker.feed(piece)
        unpacker.finish()
        return landing.end(check=check, activate=activate)


def _parcel(head: bytes) -> tuple[Parcel, str | None]:
    """What the first entry says, where the manifest is still missing; and the manifest's sha256.

    An archive of an older source has no sha256 there, and a manifest of an old schema no checksum of its own.
    """
    try:
        facts = unsealed(parse(head))
        number, said = facts["format"], facts["said"]
        product, version = str(facts["product"]), str(facts["version"])
    except (ValueError, KeyError, RecursionError):
        raise BadParcel(f"{HEAD} of the archive cannot be read.") from None
    if number != FORMAT:
        raise BadParcel(f"The archive has format {str(number)[:20]}; this Tribank reads {FORMAT}.")
    if not PRODUCT_NAME.match(product) or not VERSION_NAME.match(version) or not isinstance(said, Mapping):
        raise BadParcel(f"{HEAD} of the archive names no product or version.")
    return Parcel(product, version, b"", said), facts.get("manifest")


def _padding(size: int) -> int:
    """Bytes that fill the last block of an entry."""
    return -size % _BLOCK
