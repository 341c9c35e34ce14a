"""Bank versions on disk: immutable directories, checked by sha256, published by one rename.

    <root>/<product>/<version>/manifest.json ...
    <root>/<product>/current                     a text file: the active version's name, and below it the
                                                 name of the one that was active before
    <root>/<product>/shadow                      the version that scores along, if one does
    <root>/<product>/pinned                      the versions that stay until a person unpins them

These files end with a line that is the checksum of the names. A file without a checksum, as older sources or
people write it, is read, too. The folder's name is the product's name: a folder may be copied or renamed.

A product without a version is an empty folder. A deleted product is a folder with a hidden name, in which the
names of its versions stay: a new product of the same name goes on after them.

A version is written under a hidden name on the same file system, flushed, checked and renamed into place.
`current` is replaced atomically. A build that is killed at any moment leaves the old version active.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from json import JSONDecodeError
from pathlib import Path

from pydantic import ValidationError

from banks.versions.leftovers import (
    DELETED,
    TRAINING,
    UNFINISHED,
    VERSION_NAME,
    bury,
    empty,
    exclusive,
    forget,
    locked,
    replace_grave,
    sweep,
)
from banks.versions.manifest import MANIFEST, Manifest
from banks.versions.seal import digest_of
from models.atomic_file import flush, write_atomically
from models.digest import sha256_of
from recipes.sentences import sentences

PRODUCT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
CURRENT, SHADOW, PINNED = "current", "shadow", "pinned"
_MENDED_BY = {
    CURRENT: "Activate a version again.",
    SHADOW: "Set the shadow again, or end it.",
    PINNED: "Remove the file, and pin the versions again.",
}
_SEAL = "sha256:"


class BankNotFound(LookupError):
    """No such product, or no such version of it."""


class BadBank(ValueError):
    """A version on disk that must not be served: its files are missing, changed or not understood."""


class VersionInUse(ValueError):
    """The version cannot be deleted: parts are scored with it, or it is pinned."""


class ProductExists(ValueError):
    """There is a product of this name already."""


class BuildRuns(ValueError):
    """The product cannot be deleted: a version of it is being built."""


class BankStore:
    """The bank versions below one root directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def products(self) -> list[str]:
        """Products that have an active version, sorted, also where the file that names it cannot be read.

        Raises OSError where the root cannot be read.
        """
        return [name for name in self.folders() if self._is_active(name)]

    def folders(self) -> list[str]:
        """All products, sorted, also those without an active version. Raises OSError."""
        if not self.root.is_dir():
            return []
        return sorted(e.name for e in self.root.iterdir() if PRODUCT_NAME.match(e.name) and e.is_dir())

    def create(self, product: str) -> None:
        """Make a product without a version. Raises BankNotFound for a bad name, ProductExists, OSError."""
        folder = self._folder(product)
        if folder.is_dir():
            raise ProductExists(f"Product '{product}' exists already.")
        self._make_folder(folder)

    def delete_product(self, product: str) -> None:
        """Delete a product with all its versions. The names of the versions are never used again.

        Raises BankNotFound, BuildRuns, OSError.
        """
        folder = self._folder(product)
        if not folder.is_dir():
            raise BankNotFound(f"There is no product '{product}'.")
        grave = folder.with_name(f"{DELETED}{product}")
        with exclusive(self.root), exclusive(folder):
            sweep(folder)
            if any(folder.glob(f"{UNFINISHED}*")):
                raise BuildRuns(
                    f"A version of product '{product}' is being built. Wait, or cancel the build."
                )
            replace_grave(grave, folder)
            flush(self.root)
        bury(grave)

    def versions(self, product: str) -> list[str]:
        """Published versions of a product, oldest first. Raises BadBank where the folder cannot be read."""
        folder = self._folder(product)
        try:
            names = [entry.name for entry in folder.iterdir() if VERSION_NAME.match(entry.name)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise BadBank(f"The folder of product {product} {reason(error)}. See its permissions.") from error
        return sorted(names, key=_number)

    def current(self, product: str) -> str | None:
        """The active version's name, or None. Raises BadBank where the file that names it is damaged."""
        return next(iter(self._pointed_at(product, CURRENT)), None)

    def previous(self, product: str) -> str | None:
        """The version that was active before the active version, if it still exists. Raises BadBank."""
        before = self._pointed_at(product, CURRENT)[1:]
        return before[0] if before and before[0] in self.versions(product) else None

    def shadow(self, product: str) -> str | None:
        """The version that scores every part along with the active one, or None. Raises BadBank."""
        return next(iter(self._pointed_at(product, SHADOW)), None)

    def pinned(self, product: str) -> Sequence[str]:
        """The versions that stay until they are unpinned, oldest first. Raises BadBank."""
        return self._pointed_at(product, PINNED)

    def pin(self, product: str, version: str, *, keep: bool) -> None:
        """Pin a version, or unpin it. Raises BankNotFound, BadBank."""
        folder = self.path(product, version).parent
        with exclusive(folder):
            self.path(product, version)  # it may have been deleted while we waited
            names = {*self.pinned(product), version} - (set() if keep else {version})
            if names:
                write_atomically(folder / PINNED, _pointer(*sorted(names, key=_number)))
            else:
                (folder / PINNED).unlink(missing_ok=True)

    def path(self, product: str, version: str | None = None) -> Path:
        """Directory of a version (default: the active version). Raises BankNotFound."""
        chosen = self.current(product) if version is None else version
        if chosen is None:
            raise BankNotFound(f"Product '{product}' has no banks. Build them with 'tribank build'.")
        path = self._folder(product) / chosen
        if not VERSION_NAME.match(chosen) or not path.is_dir():
            raise BankNotFound(f"Product '{product}' has no version '{chosen}'.")
        return path

    @contextmanager
    def building(self, product: str) -> Iterator[Path]:
        """A scratch directory for a version that is being written. The directory is removed at the end.

        What killed builds left behind is removed first: their lock is free.
        """
        folder = self._folder(product)
        self._make_folder(folder)
        scratch = folder / f"{UNFINISHED}{uuid.uuid4().hex}"
        with ExitStack() as stack:
            with exclusive(folder):  # so that no other build removes the scratch before its lock is held
                sweep(folder)
                stack.enter_context(locked(scratch))
                scratch.mkdir()
            stack.callback(shutil.rmtree, scratch, ignore_errors=True)
            yield scratch

    @contextmanager
    def training(self, product: str, run: str) -> Iterator[Path]:
        """The directory for checkpoints of a build that trains networks.

        run: a name in a-z and 0-9 of all that the build's networks depend on. Where a build is killed or
        fails, the directory stays, and the next build of the same run goes on with its checkpoints. At a good
        end it is removed. The next version of the product that is published removes what nobody went on with.
        A second build of the same run at the same time gets a directory of its own.
        """
        folder = self._folder(product)
        with ExitStack() as stack:
            place = folder / f"{TRAINING}{run}"
            with exclusive(folder):
                if not stack.enter_context(locked(place)):
                    place = folder / f"{TRAINING}{uuid.uuid4().hex}"
                    stack.enter_context(locked(place))
            yield place
            shutil.rmtree(place, ignore_errors=True)

    def publish(
        self,
        product: str,
        staged: Path,
        *,
        check: Callable[[Path], None],
        activate: bool = True,
        known: Callable[[], str | None] = lambda: None,
    ) -> str:
        """Flush and check the staged directory and rename it into place; returns the version's name.

        check: called with the staged directory; raises to refuse it.
        activate: whether to make the version the active one.
        known: called while no other version can be published; returns the name of a published version that
            takes the place of the staged one, or None.
        """
        folder = self._folder(product)
        for file in (*staged.rglob("*"), staged):
            flush(file)
        check(staged)
        with exclusive(folder):
            version = known()
            if version is None:
                version = self._next_name(product)
                staged.rename(folder / version)
                flush(folder)
                forget(folder, TRAINING)
        if activate:
            self.activate(product, version)
        return version

    def activate(self, product: str, version: str) -> None:
        """Make a published version the active one, atomically. This also mends a damaged `current`.

        Raises BankNotFound.
        """
        folder = self._folder(product)
        self.path(product, version)
        with exclusive(folder):
            before = self._pointed_at(product, CURRENT, damaged=()) or (None,)
            if before[0] == version:
                return
            self.path(product, version)  # it may have been deleted while we waited
            if version in self._pointed_at(product, SHADOW, damaged=()):
                (folder / SHADOW).unlink()
            write_atomically(folder / CURRENT, _pointer(version, before[0]))

    def set_shadow(self, product: str, version: str | None) -> None:
        """Let a version score every part along with the active version; None ends the shadow.

        Raises BankNotFound.
        """
        folder = self._folder(product)
        if version is not None:
            self.path(product, version)
        elif not folder.is_dir():
            return
        with exclusive(folder):
            if version is None:
                (folder / SHADOW).unlink(missing_ok=True)
                return
            self.path(product, version)  # it may have been deleted while we waited
            write_atomically(folder / SHADOW, _pointer(version))

    def delete(self, product: str, version: str) -> None:
        """Remove a version that is not in use. Its name is never used again.

        Raises BankNotFound, VersionInUse for the active version, the shadow and pinned versions, BadBank
        where the files that name these are damaged.
        """
        path = self.path(product, version)
        with exclusive(path.parent):
            if version in (self.current(product), self.shadow(product)):
                raise VersionInUse(f"Version {version} is in use. Activate another one or end its shadow.")
            if version in self.pinned(product):
                raise VersionInUse(f"Version {version} is pinned. Unpin it first.")
            grave = path.with_name(f"{DELETED}{version}")
            path.rename(grave)
            flush(path.parent)
        empty(grave)

    def not_needed(self, product: str, *, keep: int) -> list[str]:
        """The versions that may be deleted, oldest first: all but the newest `keep`, the active version, the
        one before it, the shadow, and pinned versions. Raises BadBank."""
        used = {self.current(product), self.previous(product), self.shadow(product), *self.pinned(product)}
        versions = self.versions(product)
        return [version for version in versions[: max(0, len(versions) - keep)] if version not in used]

    def verify(self, product: str, version: str | None = None) -> list[str]:
        """What is wrong with a version; empty where every file is as the manifest says."""
        return verify_files(self.path(product, version))

    def _make_folder(self, folder: Path) -> None:
        """Make a product's folder, or take the folder of a deleted product of the same name."""
        self.root.mkdir(parents=True, exist_ok=True)
        grave = folder.with_name(f"{DELETED}{folder.name}")
        with exclusive(self.root):
            if grave.is_dir() and not folder.exists():
                bury(grave)  # what a killed deletion left
                grave.rename(folder)
            folder.mkdir(exist_ok=True)

    def _is_active(self, product: str) -> bool:
        try:
            return self.current(product) is not None
        except BadBank:
            return True

    def _pointed_at(self, product: str, name: str, *, damaged: Sequence[str] | None = None) -> Sequence[str]:
        """The versions that `current`, `shadow` or `pinned` names.

        damaged: the answer for a damaged file. Without it a damaged file raises BadBank.
        """
        try:
            text = (self._folder(product) / name).read_bytes().decode("ascii")
            return _names(text, most=None if name == PINNED else 2)
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except (OSError, ValueError) as error:
            if damaged is not None:
                return damaged
            detail = f"{product}/{name} cannot be used: {reason(error)}. {_MENDED_BY[name]}"
            raise BadBank(detail) from error

    def _next_name(self, product: str) -> str:
        graves = (entry.name for entry in self._folder(product).glob(f"{DELETED}*"))
        taken = [*self.versions(product), *(name.removeprefix(DELETED) for name in graves)]
        return f"v{max(map(_number, taken), default=0) + 1}"

    def _folder(self, product: str) -> Path:
        if not PRODUCT_NAME.match(product):
            raise BankNotFound(
                f"'{product[:80]}' is not a product name: use 1 to 63 of a-z, 0-9, '-' and '_', "
                "starting with a letter or digit."
            )
        return self.root / product


def verify_files(path: Path, *, serving: bool = False) -> list[str]:
    """What is wrong with the files of a version directory. serving: whether to check only the files that
    scoring needs."""
    try:
        manifest = Manifest.read(path)
    except (OSError, ValueError) as error:
        return [f"{MANIFEST}: {reason(error)}"]
    problems = []
    for name, expected in (manifest.files if serving else manifest.files | manifest.kept).items():
        try:
            changed = sha256_of(path / name) != expected
        except FileNotFoundError:
            problems.append(f"{name}: missing")
        except (OSError, ValueError) as error:
            problems.append(f"{name}: {reason(error)}")
        else:
            problems += [f"{name}: changed since it was built (sha256 differs)"] if changed else []
    return problems


def reason(error: Exception) -> str:
    """Why something could not be read, in a few words on one line."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or type(error).__name__})"
    if isinstance(error, ValidationError):
        return sentences(error)[0]
    if isinstance(error, UnicodeDecodeError | JSONDecodeError):
        return "not what Tribank wrote (no JSON)"
    return " ".join(str(error).split())


def _pointer(*names: str | None) -> str:
    """The content of `current`, `shadow` or `pinned`. Older sources ignore the last line."""
    versions = [name for name in names if name]
    return "".join(f"{line}\n" for line in (*versions, _checksum(versions)))


def _names(pointer: str, *, most: int | None) -> list[str]:
    """The versions in a pointer file. most: how many it may name. Raises ValueError where it is damaged."""
    names = pointer.split()
    if names and names[-1].startswith(_SEAL) and names.pop() != _checksum(names):
        raise ValueError("changed since it was written (its checksum differs)")
    if not 1 <= len(names) <= (most or len(names)) or not all(map(VERSION_NAME.match, names)):
        raise ValueError("it names no version")
    return names


def _checksum(names: Sequence[str]) -> str:
    return _SEAL + digest_of(" ".join(names))[:16]


def _number(version: str) -> int:
    return int(version[1:])
