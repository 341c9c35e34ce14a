"""Every method by its name in a profile."""

from __future__ import annotations

from banks.methods.memory_bank.column import MemoryBankColumn
from banks.methods.method import Method

METHODS: dict[str, type[Method]] = {"memory_bank": MemoryBankColumn}
"""The one place that resolves the name of a method. An old reader takes every bank for a memory bank, so
raise MIN_READER (`banks.versions.manifest_schemas`) with the next method."""


class UnknownMethod(LookupError):
    """No method has this name; the message lists the names there are."""


def find_method(name: str) -> type[Method]:
    """The method of this name. Raises UnknownMethod."""
    if name not in METHODS:
        raise UnknownMethod(f"There is no method '{name}'. There are: {', '.join(METHODS)}.")
    return METHODS[name]
