"""A backup: one tar file with the banks and the state folder, made while the server runs; and back again.

    tribank-backup.json                     format, time, versions by product, names of deleted versions
    banks/<product>/<version>/...           as on disk
    banks/<product>/current, thresholds.json, ...
    state/keys.json, keys.made
    state/results.sqlite, jobs.sqlite, audit.sqlite     copied by SQLite's backup, each as of one moment
    state/parts/...                         rejected parts

The inputs of unfinished jobs are left out. What lies beside the folders (settings, weights) is left out, too.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from banks.versions.leftovers import GRAVE, VERSION_NAME, forget, graves, locked
from banks.versions.seal import parse
from banks.versions.store import PRODUCT_NAME, BadBank, BankStore
from banks.versions.verification import product_problems
from models.atomic_file import PRIVATE, flush, replacing
from service.disk_faults import RecordsError, of_sqlite

FORMAT = 1
CONTENTS = "tribank-backup.json"
_DATABASES = ("results.sqlite", "jobs.sqlite", "audit.sqlite")
_SECRETS = ("keys.json", "keys.made")
_PARTS = "parts"
_RESTORING = ".restoring-"
_MOST_CONTENTS_BYTES = 16 << 20
_TURNS = 20  # a product whose versions change faster than they are copied

Progress = Callable[[str, int, int], None]
"""Called with the stage, the files that are done, and all files."""


class BadBackup(ValueError):
    """The file is no backup, or a damaged one; or the folders to restore to are not empty."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds. versions: by product. state: names of the files of the state folder.

    deleted: what keeps the names of deleted versions, so that they are not used again (`graves`).
    """

    created: float
    versions: Mapping[str, Sequence[str]]
    state: Sequence[str]
    deleted: Sequence[str] = ()


def write_backup(target: Path, store: BankStore, state: Path, progress: Progress) -> Contents:
    """Write a backup. The server may run, score, build, and change versions meanwhile.

    target: the tar file, which appears when it is complete. A file of this name is replaced.

    Raises OSError, RecordsError, BadBank.
    """
    with (
        replacing(target, mode=PRIVATE) as unfinished,  # hashes of keys and pictures of parts are inside
        tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar,
    ):
        versions = {}
        products = [product for product in store.folders() if store.versions(product)]
        for number, product in enumerate(products):
            progress("banks", number, len(products))
            if added := _add_product(tar, store, product):
                versions[product] = added
        progress("banks", len(products), len(products))
        names = _add_state(tar, state, target.parent, progress)
        contents = Contents(time.time(), versions, names, graves(store.root))
        _add_text(tar, CONTENTS, json.dumps({"format": FORMAT} | _facts(contents)))
    return contents


def restore_backup(source: Path, banks: Path, state: Path, progress: Progress) -> Contents:
    """Restore a backup to folders that do not exist or are empty. Every version is compared with its manifest
    and every database is checked before anything is put in place.

    Raises BadBackup, OSError.
    """
    for folder in (banks, state):
        if folder.is_dir():
            forget(folder, _RESTORING)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadBackup(f"{folder} is not empty. Restore to a folder that is empty or does not exist.")
    with _filled(banks) as near_banks, _filled(state) as near_state:
        places = {"banks": near_banks, "state": near_state}
        contents = _extract(source, places, progress)
        _check(contents, BankStore(places["banks"]), places["state"], progress)
        for grave in contents.deleted:
            (places["banks"] / grave).mkdir(parents=True, exist_ok=True)
    return contents


@contextmanager
def _filled(folder: Path) -> Iterator[Path]:
    """A hidden folder in an empty or missing folder. What it holds at a good end fills the folder; at any
    other end all is as before. The folder itself may be a mount, which can be neither removed nor renamed."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        place = folder / f"{_RESTORING}{uuid.uuid4().hex}"
        with locked(place):  # so that no other restore takes it for one that was killed
            try:
                place.mkdir(0o700)
                yield place
                for entry in place.iterdir():
                    entry.rename(folder / entry.name)
            finally:
                shutil.rmtree(place, ignore_errors=True)
        flush(folder)
        flush(folder.parent)
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise


def _facts(contents: Contents) -> dict[str, object]:
    return {
        "created": contents.created,
        "versions": contents.versions,
        "state": list(contents.state),
        "deleted": list(contents.deleted),
    }


def _add_product(tar: tarfile.TarFile, store: BankStore, product: str) -> list[str]:
    """Add all versions of a product, and the small files that say which one is active. Raises BadBank."""
    folder, added = store.root / product, []
    for _ in range(_TURNS):
        small = _small_files(folder)
        for version in store.versions(product):
            if version not in added and _add_version(tar, folder / version, f"banks/{product}/{version}"):
                added.append(version)
        if small == _small_files(folder):
            break
    else:
        raise BadBank(f"The versions of {product} change all the time. Make the backup again later.")
    for name, content in small.items():
        _add_text(tar, f"banks/{product}/{name}", content)
    return added


def _small_files(folder: Path) -> dict[str, str]:
    """The files beside the versions, by name; none where the product was deleted. They are replaced as a
    whole, so each is consistent."""
    found: dict[str, str] = {}
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        return found
    for entry in entries:
        if not entry.name.startswith(".") and entry.is_file():
            with suppress(FileNotFoundError):
                found[entry.name] = entry.read_text("utf-8", "surrogateescape")
    return found


def _add_version(tar: tarfile.TarFile, folder: Path, name: str) -> bool:
    """Add a version, or nothing if it is deleted meanwhile: all its files are opened before one is copied."""
    with ExitStack() as held:
        try:
            files = {
                path.relative_to(folder).as_posix(): held.enter_context(path.open("rb"))
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            }
        except FileNotFoundError:
            return False
        if not folder.exists():
            return False
        for place, file in files.items():
            _add_file(tar, file, f"{name}/{place}")
    return True


def _add_state(tar: tarfile.TarFile, state: Path, beside: Path, progress: Progress) -> list[str]:
    """Add the files of the state folder. beside: a folder with room for a copy of a database."""
    names = []
    for name in _SECRETS:
        with suppress(FileNotFoundError), (state / name).open("rb") as file:
            _add_file(tar, file, f"state/{name}")
            names.append(name)
    with TemporaryDirectory(prefix=".backup-", dir=beside) as folder:
        for number, name in enumerate(_DATABASES):
            progress("records", number, len(_DATABASES))
            if (state / name).exists():
                copy = Path(folder) / name
                _copy_database(state / name, copy)
                with copy.open("rb") as file:
                    _add_file(tar, file, f"state/{name}")
                copy.unlink()
                names.append(name)
        progress("records", len(_DATABASES), len(_DATABASES))
    parts = sorted((state / _PARTS).glob("*.npz"))
    for number, part in enumerate(parts, start=1):
        with suppress(FileNotFoundError), part.open("rb") as file:
            _add_file(tar, file, f"state/{_PARTS}/{part.name}")
        progress("rejected parts", number, len(parts))
    return names


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that others write to. Raises RecordsError.

    In one step: between two steps SQLite begins again where somebody wrote, and would never end.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        found = of_sqlite(error)
        raise RecordsError(f"{source} cannot be copied: {found}.", found.fault) from error


def _add_file(tar: tarfile.TarFile, file: IO[bytes], name: str) -> None:
    facts = os.fstat(file.fileno())
    tar.addfile(_entry(name, facts.st_size, facts.st_mtime), file)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    tar.addfile(_entry(name, len(data), time.time()), io.BytesIO(data))


def _entry(name: str, size: int, changed: float) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, changed, PRIVATE
    return entry


def _extract(source: Path, places: Mapping[str, Path], progress: Progress) -> Contents:
    """Write the files of a backup below their places. Raises BadBackup, OSError."""
    contents = None
    size, done = source.stat().st_size, 0
    try:
        with tarfile.open(source, "r:") as tar:
            for entry in tar:
                if entry.name == CONTENTS and entry.size <= _MOST_CONTENTS_BYTES:
                    contents = _read_contents(tar, entry)
                else:
                    _extract_file(tar, entry, places)
                progress("unpacking", done := max(done, entry.offset_data + entry.size), size)
    except BadBackup:
        raise
    except (
        tarfile.TarError,
        EOFError,
        FileExistsError,
        NotADirectoryError,
        OverflowError,
        ValueError,
    ) as error:
        raise BadBackup(f"{source} cannot be read as a backup: {error}.") from None
    if contents is None:
        raise BadBackup(f"{source} is not a complete backup of Tribank: {CONTENTS} is missing at its end.")
    return contents


def _read_contents(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> Contents:
    file = tar.extractfile(entry)
    try:
        facts = parse(file.read() if file else b"")
        if facts["format"] != FORMAT:
            raise BadBackup(f"The backup has format {facts['format']}; this Tribank reads {FORMAT}.")
        deleted = tuple(facts.get("deleted", ()))  # backups of older sources have none
        versions = {product: tuple(names) for product, names in facts["versions"].items()}
        names = [name for names in versions.values() for name in names]
        known = (
            *map(GRAVE.match, deleted),
            *map(PRODUCT_NAME.match, versions),
            *map(VERSION_NAME.match, names),
        )
        if not all(known):
            raise ValueError
        return Contents(float(facts["created"]), versions, tuple(map(str, facts["state"])), deleted)
    except BadBackup:
        raise
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BadBackup(f"{CONTENTS} of the backup cannot be read.") from None


def _extract_file(tar: tarfile.TarFile, entry: tarfile.TarInfo, places: Mapping[str, Path]) -> None:
    place, *parts = PurePosixPath(entry.name).parts or ("",)
    hidden = any(part.startswith(".") for part in parts)
    if not entry.isfile() or entry.issparse() or place not in places or not parts or hidden:
        raise BadBackup(f"The backup has an entry that does not belong there: {entry.name[:80]}.")
    target = places[place].joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    file = tar.extractfile(entry)
    assert file is not None
    with target.open("xb") as out:
        shutil.copyfileobj(file, out, 1 << 20)
    os.utime(target, (entry.mtime, entry.mtime))  # the oldest rejected parts are deleted first
    if place == "state":
        target.chmod(PRIVATE)
    flush(target)


def _check(contents: Contents, store: BankStore, state: Path, progress: Progress) -> None:
    """Raises BadBackup where a version or a database is not whole."""
    versions = [(product, version) for product, names in contents.versions.items() for version in names]
    for number, (product, version) in enumerate(versions, start=1):
        if version not in store.versions(product):
            raise BadBackup(f"The backup is damaged: {product} {version[:16]} is missing.")
        if problems := store.verify(product, version):
            raise BadBackup(f"The backup is damaged: {product} {version}: {problems[0]}.")
        progress("comparing", number, len(versions))
    for product in store.folders():
        if problems := product_problems(store, product):
            raise BadBackup(f"The backup is damaged: {product}: {problems[0]}.")
    for name in contents.state:
        if not (state / name).is_file():
            raise BadBackup(f"The backup is damaged: {name} is missing.")
        if name in _DATABASES:
            _check_database(state / name)


def _check_database(file: Path) -> None:
    try:
        with closing(sqlite3.connect(file)) as db:
            answer = db.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        answer = str(error)
    if answer != "ok":
        raise BadBackup(f"The backup is damaged: {file.name}: {answer}.")
