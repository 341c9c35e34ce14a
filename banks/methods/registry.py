"""Every method by its name in a profile."""

from __future__ import annotations

from banks.methods.ast.column import AstColumn
from banks.methods.autoencoder.column import AutoencoderColumn
from banks.methods.memory_bank.column import MemoryBankColumn
from banks.methods.method import Method
from banks.methods.padim.column import PadimColumn
from banks.methods.stfpm.column import StfpmColumn

METHODS: dict[str, type[Method]] = {
    "memory_bank": MemoryBankColumn,
    "autoencoder": AutoencoderColumn,
    "padim": PadimColumn,
    "stfpm": StfpmColumn,
    "ast": AstColumn,
}
"""The one place that resolves the name of a method. `recipes.banks.BY_METHOD` has the settings of each."""


class UnknownMethod(LookupError):
    """No method has this name; the message lists the names there are."""


def find_method(name: str) -> type[Method]:
    """The method of this name. Raises UnknownMethod."""
    if name not in METHODS:
        raise UnknownMethod(f"There is no method '{name}'. There are: {', '.join(METHODS)}.")
    return METHODS[name]
