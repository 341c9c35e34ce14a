"""What is wrong with a product's folder, apart from the files of its versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from banks.versions.reviews import all_reviews
from banks.versions.store import BadBank, BankStore
from banks.versions.thresholds import moved_thresholds


def product_problems(store: BankStore, product: str) -> list[str]:
    """What is wrong with a product's folder, its pointers, moved thresholds and reviews, in a sentence
    each."""
    return list(_problems(store, product))


def _problems(store: BankStore, product: str) -> Iterator[str]:
    checks: tuple[Callable[[], object], ...] = (
        lambda: store.versions(product),
        lambda: _named(store, product, "active version", store.current(product)),
        lambda: _named(store, product, "shadow", store.shadow(product)),
        lambda: store.pinned(product),
        lambda: moved_thresholds(store.root / product),
        lambda: all_reviews(store.root / product),
    )
    for check in checks:
        try:
            check()
        except BadBank as error:
            yield str(error)


def _named(store: BankStore, product: str, what: str, version: str | None) -> None:
    if version is not None and version not in store.versions(product):
        raise BadBank(
            f"The {what} {version} is gone. Restore the version from the backup, or choose another version."
        )
