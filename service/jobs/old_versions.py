"""Deleting the versions that nobody needs, after a new one was published."""

from __future__ import annotations

import asyncio
from functools import partial

from structlog.typing import FilteringBoundLogger

from banks.versions.store import BadBank, BankStore
from service.engine.residents import Residents
from service.records.audit import Change
from service.records.changes import Changes
from service.refusals import Refusal
from service.threads import on_disk


class OldVersions:
    """The versions above the number that is kept of each product. For the event loop only.

    keep: how many of the newest versions stay; None keeps all. The active version, the one before it, the
        shadow and pinned versions always stay.
    """

    def __init__(
        self,
        store: BankStore,
        residents: Residents,
        changes: Changes,
        logger: FilteringBoundLogger,
        *,
        keep: int | None,
    ) -> None:
        self._store = store
        self._residents = residents
        self._changes = changes
        self._logger = logger
        self._keep = keep

    async def delete(self, product: str) -> None:
        """Delete a product's old versions and put that on record. A failure is logged."""
        if self._keep is None:
            return
        keep = self._keep
        try:
            for version in await on_disk(lambda: self._store.not_needed(product, keep=keep)):
                delete = partial(self._store.delete, product, version)
                await asyncio.wrap_future(self._residents.forget(product, version, delete))
                await self._changes.record(
                    Change(
                        action="delete",
                        who="the server (TRIBANK_KEEP_VERSIONS)",
                        product=product,
                        bank_version=version,
                    )
                )
        except (BadBank, Refusal) as error:
            self._logger.error("old_versions_not_deleted", product=product, reason=str(error))
