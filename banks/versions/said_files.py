"""Files beside a product's versions that hold what a person said of each version.

<root>/<product>/thresholds.json, odd_parts.json     {"v3": ..., "checksum": "5a..."}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from banks.versions.leftovers import VERSION_NAME, exclusive
from banks.versions.seal import CHECKSUM, parse, sealed, unsealed
from banks.versions.store import BadBank, reason
from models.atomic_file import write_atomically

_T = TypeVar("_T")


@dataclass(frozen=True)
class SaidFile(Generic[_T]):
    """One kind of file.

    name: of the file in a product's folder.
    entry: what is said of one version.
    again: what a person does where the file is lost.
    seal_optional: whether a file without a checksum is read, too, as older sources wrote it.
    """

    name: str
    entry: TypeAdapter[_T]
    again: str
    seal_optional: bool = False

    def read(self, folder: Path) -> dict[str, _T]:
        """What the file in a product's folder says, by version; empty without a file. Raises BadBank."""
        try:
            document = parse((folder / self.name).read_bytes())
            older = self.seal_optional and CHECKSUM not in document
            content = document if older else unsealed(document)
            return {_version(name): self.entry.validate_python(said) for name, said in content.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise BadBank(
                f"{folder.name}/{self.name} cannot be used: {reason(error)}. Restore the file from the "
                f"backup, or remove it and {self.again}."
            ) from error

    def write(self, folder: Path, content: Mapping[str, Any]) -> None:
        """Replace the file. content: JSON by version."""
        write_atomically(folder / self.name, sealed(content))

    def of(self, version: Path) -> _T | None:
        """What is said of a version directory. Raises BadBank where the file is damaged."""
        return self.read(version.parent).get(version.name)

    def dumped(self, said: _T) -> Any:
        """What is said of one version, as JSON."""
        return self.entry.dump_python(said, mode="json", exclude_none=True)

    def add(self, version: Path, said: _T) -> None:
        """Say this of a version directory, unless something is said of it already. Raises BadBank."""
        with exclusive(version.parent):
            there = self.read(version.parent)
            if version.name not in there:
                content = {**there, version.name: said}.items()
                self.write(version.parent, {name: self.dumped(one) for name, one in content})


def _version(name: str) -> str:
    if not VERSION_NAME.match(name):
        raise ValueError(f"'{name[:20]}' is no version")
    return name
