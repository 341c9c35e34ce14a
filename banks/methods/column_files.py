"""The files that one column keeps in a version's directory.

<column><suffix>            bytes of the column alone
<what>.safetensors          tensors of all columns, named <column>.<tensor>
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.atomic_file import replacing, write_atomically


@dataclass(frozen=True)
class ColumnFiles:
    """The files of one column in a directory."""

    folder: Path
    column: str

    def read(self, suffix: str) -> bytes:
        """The bytes that `write` wrote. Raises OSError."""
        return (self.folder / f"{self.column}{suffix}").read_bytes()

    def write(self, suffix: str, content: bytes) -> None:
        """Write bytes that only this column has. suffix: begins with a dot."""
        write_atomically(self.folder / f"{self.column}{suffix}", content)

    def tensors(self, what: str) -> dict[str, torch.Tensor]:
        """The tensors that `add_tensors` added, on the CPU. Raises OSError."""
        start = f"{self.column}."
        with safe_open(self._shared(what), "pt") as file:
            return {
                name.removeprefix(start): file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118 - no mapping
                if name.startswith(start)
            }

    def add_tensors(self, what: str, tensors: Mapping[str, torch.Tensor]) -> None:
        """Add tensors to a file that all columns share."""
        path = self._shared(what)
        others = load_file(path) if path.exists() else {}
        own = {f"{self.column}.{name}": tensor for name, tensor in tensors.items()}
        with replacing(path) as file:
            save_file(others | own, file)

    def _shared(self, what: str) -> Path:
        return self.folder / f"{what}.safetensors"
