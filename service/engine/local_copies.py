"""Versions of a bank folder, copied to a local disk before they are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from banks.versions.node_cache import CacheFull, FolderSource, NodeCache
from banks.versions.store import BankStore


class LocalCopies:
    """A cache that no load depends on: where it fails, the version is loaded from the bank folder."""

    def __init__(self, store: BankStore, folder: Path, most_bytes: int, logger: FilteringBoundLogger) -> None:
        """folder: of the cache. most_bytes: of all files in the cache."""
        self._store = store
        self._cache = NodeCache(FolderSource(store), folder, most_bytes)
        self._logger = logger

    @classmethod
    def of(
        cls, store: BankStore, folder: Path | None, most_mb: int, logger: FilteringBoundLogger
    ) -> LocalCopies | None:
        """As settings say: None without a folder."""
        return None if folder is None else cls(store, folder, most_mb << 20, logger)

    @contextmanager
    def fetch(self, product: str, version: str) -> Iterator[Path]:
        """The folder from which a version is to be loaded. It stays while the `with` block runs.

        Raises BankNotFound, BadBank.
        """
        with ExitStack() as held:
            try:
                folder = held.enter_context(self._cache.fetch(product, version))
            except (CacheFull, OSError) as error:
                self._logger.warning(
                    "cache_not_used", product=product, bank_version=version, reason=str(error)
                )
                folder = self._store.path(product, version)
            yield folder
