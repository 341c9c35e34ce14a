"""What is wrong with a product beside its versions' files, and what is not wrong but worth knowing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from banks.versions.store import BadBank, BankStore
from banks.versions.thresholds import moved_thresholds


def product_problems(store: BankStore, product: str) -> list[str]:
    """What is wrong with a product's folder, `current`, `shadow` and moved thresholds, in a sentence each."""
    return list(_problems(store, product))


def _problems(store: BankStore, product: str) -> Iterator[str]:
    looks: tuple[Callable[[], object], ...] = (
        lambda: store.versions(product),
        lambda: _named(store, product, "active version", store.current(product)),
        lambda: _named(store, product, "shadow", store.shadow(product)),
        lambda: moved_thresholds(store.root / product),
    )
    for look in looks:
        try:
            look()
        except BadBank as error:
            yield str(error)


def _named(store: BankStore, product: str, what: str, version: str | None) -> None:
    if version is not None and version not in store.versions(product):
        raise BadBank(f"Its {what} {version} is gone. Restore it from the backup, or choose another one.")
