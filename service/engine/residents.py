"""Which detectors are in memory. A detector is loaded beside the detector in use, swapped in, and unloaded.

One thread checks the disk and two threads carry out orders. Scoring goes on meanwhile, and a slow load does
not delay an order for another product. Only one of these threads works on a product at a time. Only a new
detector's warm-up, which costs as much as one part, runs on the scoring thread. A part keeps the detector
with which the part was queued.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from banks.versions.store import BadBank
from service.engine.detectors import Loaded, Loader, PartDetector, Residency, Served, Size, total_of
from service.engine.failed_loads import FailedLoads
from service.engine.last_use import LastUse
from service.engine.orders import Orders
from service.refusals import LoadFailed, NotReady, Refusal, UnknownProduct


class Residents:
    """The detectors of all products. Any thread may call the methods."""

    def __init__(
        self,
        loader: Loader,
        *,
        on_owner: Callable[[Callable[[], None]], Future[None]],
        residency: Residency,
        logger: FilteringBoundLogger,
    ) -> None:
        """Create the residents; `start` loads the detectors.

        loader: where the detectors come from.
        on_owner: makes a call on the scoring thread.
        residency: which detectors may be in memory.
        """
        self._loader = loader
        self._on_owner = on_owner
        self._residency = residency
        self._logger = logger
        self._served: dict[str, Served] = {}
        # The detectors of the versions that were active before, ready for a rollback.
        self._spares: dict[str, PartDetector] = {}
        self._sizes: dict[tuple[str, str], Size] = {}
        self._reserved: dict[tuple[str, str], Size] = {}  # of versions that are being loaded
        self._failed_loads = FailedLoads(loader.stamp)
        self._use = LastUse()
        self._loading: dict[str, Future[Served]] = {}
        self._orders: Orders[Served] = Orders(logger)
        self._loading_lock = threading.Lock()
        self._closing = threading.Event()
        self.settled = False
        """Whether a load was tried for every product that the disk had at the start."""
        self._thread = threading.Thread(target=self._watch_disk, name="tribank-loader", daemon=True)

    def start(self, recent: Sequence[str] = ()) -> None:
        """Load the products, then follow the changes on disk. recent: as in `LastUse.begin`."""
        self._use.begin(recent)
        self._orders.start()
        self._thread.start()

    def alive(self) -> bool:
        """Whether every thread runs. A thread that died leaves orders without an answer."""
        follows = self._closing.is_set() or self._thread.ident is None or self._thread.is_alive()
        return follows and self._orders.alive()

    def close(self, timeout_s: float = 5.0) -> None:
        """Load nothing more. Everything that waits for a load fails."""
        self._closing.set()
        self._orders.close(timeout_s)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def products(self) -> dict[str, Served]:
        """All products by name, served or not."""
        return dict(self._served)

    def memory_bytes(self) -> int:
        """Bytes that the detectors take on the host. A network that several detectors share counts once."""
        return total_of(self._sizes_in_memory())[0]

    def sizes(self) -> dict[str, int]:
        """Bytes of each product's banks: the version in use, the shadow, and the version in use before."""
        sizes: dict[str, int] = {}
        for detector in self._resident():
            size = self._sizes.get((detector.product, detector.version), Size())
            sizes[detector.product] = sizes.get(detector.product, 0) + size.banks
        return sizes

    def _sizes_in_memory(self) -> list[Size]:
        """The sizes of the detectors that are in memory or being loaded."""
        keys = [(detector.product, detector.version) for detector in self._resident()]
        return [*(self._sizes.get(key, Size()) for key in keys), *tuple(self._reserved.values())]

    def when_loaded(self, product: str) -> Future[Served]:
        """A future of the product with its detector in memory; done at once if the detector is in memory."""
        self._use.note(product)
        served = self._served.get(product)
        if served is not None and served.detector is not None:
            ready: Future[Served] = Future()
            ready.set_result(served)
            return ready
        with self._loading_lock:
            if product not in self._loading:
                self._loading[product] = self._orders.add(product, lambda: self._load_idle(product))
            return self._loading[product]

    def activate(self, product: str, version: str, write: Callable[[], None]) -> Future[Served]:
        """Load and warm up a version beside the version in use, then call `write` and swap the versions.

        write: makes the version active on disk. If `write` raises, nothing changes.
        """
        return self._orders.add(product, lambda: self._activate(product, version, write))

    def refresh(self, product: str) -> Future[Served]:
        """Bring one product to the state of the disk now."""
        return self._orders.add(product, lambda: self._check(product))

    def forget(self, product: str, version: str, delete: Callable[[], None]) -> Future[Served]:
        """Call `delete`, and unload the version if the version is kept for a rollback."""
        return self._orders.add(product, lambda: self._forget(product, version, delete))

    def _watch_disk(self) -> None:
        """The thread that checks the disk."""
        while not self._closing.is_set():
            self._check_all()
            self.settled = True
            self._closing.wait(self._residency.poll_s)

    def _check_all(self) -> None:
        """Bring all products to the state of the disk."""
        try:
            names = self._loader.products()
        except OSError:
            self._logger.exception("banks_not_readable")
            return
        if not self.settled:
            for product in names:
                self._served.setdefault(product, Served(product, "loading"))
        for product in self._use.newest_first({*names, *self._served}, before=self._residency.pinned):
            if self._closing.is_set():
                return
            if self.settled and self._orders.busy(product):
                continue  # the thread that works on the product checks the product too
            try:
                with self._orders.reserved(product):
                    self._check(product)
            except UnknownProduct:
                continue
            except Exception:
                self._logger.exception("bank_not_readable", product=product)

    def _check(self, product: str) -> Served:
        """Bring a product to the state of the disk. Raises UnknownProduct where the product is gone."""
        served = self._served.get(product, Served(product, "idle"))
        try:
            wanted = self._loader.active(product)
        except Refusal as refusal:
            return self._keep_served(served, refusal)
        if wanted is None:
            self._served.pop(product, None)
            self._spares.pop(product, None)
            raise UnknownProduct
        failed = served.state == "failed"
        incomplete = failed or served.degraded
        if wanted != served.wanted or (
            incomplete and self._failed_loads.should_retry(product, None if failed else wanted)
        ):
            changed = replace(served, wanted=wanted)
            eager = not self._residency.lazy or product in self._residency.pinned
            if served.detector is not None or failed or (eager and self._fits_now(product, wanted)):
                self._serve(changed, wanted)
            else:
                self._served[product] = replace(changed, state="idle")
        self._check_shadow(self._served[product])
        return self._calibrated(product)

    def _keep_served(self, served: Served, refusal: Refusal) -> Served:
        """Handle a disk that does not say which version is active.

        A product that is served stays served; any other product is failed.
        """
        if served.note != refusal.detail:
            self._logger.error("bank_not_served", product=served.product, reason=refusal.detail)
        state = "failed" if served.detector is None else "serving"
        self._served[served.product] = replace(served, state=state, note=refusal.detail, wanted=None)
        return self._calibrated(served.product)

    def _check_shadow(self, served: Served) -> None:
        """Bring a product's shadow to the state of the disk."""
        if served.detector is None:
            return
        product = served.product
        try:
            shadow = self._loader.shadow(product)
        except Refusal as refusal:
            if served.shadow_note != refusal.detail:
                self._logger.error("shadow_not_scored", product=product, reason=refusal.detail)
            self._served[product] = replace(
                served, shadow=None, wanted_shadow=None, shadow_note=refusal.detail
            )
            return
        if (
            shadow != served.wanted_shadow
            or (shadow is None and served.shadow_note)
            or (shadow and served.shadow is None and self._failed_loads.should_retry(product, shadow))
        ):
            self._serve_shadow(served, shadow)

    def _serve(self, served: Served, wanted: str) -> None:
        """Serve the version that the disk names. If the load fails, the version in use stays in use."""
        product, in_use = served.product, served.detector
        if in_use is None and served.state != "failed":  # another try must not hide the failure
            self._served[product] = replace(served, state="loading")
        requested = wanted if in_use else None
        stamps = {version: self._failed_loads.stamp(product, version) for version in (wanted, requested)}
        try:
            loaded = self._load(product, requested)
        except Refusal as refusal:
            self._note_failure(product, requested, stamps[requested], refusal)
            note = refusal.detail
            if in_use is not None:
                note = f"Version {in_use.version} stays in use in place of {wanted}: {note}"
            self._served[product] = replace(served, state="serving" if in_use else "failed", note=note)
            return
        if self._swap(served, loaded).degraded:
            self._failed_loads.add(product, wanted, stamps[wanted], files_at_fault=True)
            version = loaded.detector.version
            self._logger.warning("bank_stands_in", product=product, bank_version=version, wanted=wanted)

    def _note_failure(self, product: str, version: str | None, stamp: Hashable, refusal: Refusal) -> None:
        """Remember and log a failed load."""
        self._failed_loads.add(product, version, stamp, files_at_fault=not isinstance(refusal, LoadFailed))
        self._logger.error("bank_not_served", product=product, bank_version=version, reason=refusal.detail)

    def _swap(self, served: Served, loaded: Loaded) -> Served:
        if served.detector is not None and served.detector is not loaded.detector:
            self._spares[served.product] = served.detector
        changed = replace(served, state="serving", detector=loaded.detector, note=loaded.note)
        self._served[served.product] = changed
        return changed

    def _load_idle(self, product: str) -> Served:
        try:
            served = self._served.get(product)
            if served is None:
                raise UnknownProduct
            if served.detector is None:
                self._serve(served, served.wanted or "")
        finally:
            with self._loading_lock:
                self._loading.pop(product, None)
        served = self._check(product)
        if served.detector is None:
            raise NotReady("bank_failed", served.note)
        return served

    def _activate(self, product: str, version: str, write: Callable[[], None]) -> Served:
        loaded = self._load(product, version)
        write()
        served = self._served.get(product, Served(product, "idle"))
        self._swap(replace(served, wanted=version), loaded)
        return self._check(product)

    def _serve_shadow(self, served: Served, version: str | None) -> None:
        product, shadow, note = served.product, None, ""
        if version is not None:
            stamp = self._failed_loads.stamp(product, version)
            try:
                shadow = self._load(product, version).detector
            except Refusal as refusal:
                self._note_failure(product, version, stamp, refusal)
                note = f"Shadow version {version} does not score: {refusal.detail}"
        self._served[product] = replace(served, shadow=shadow, wanted_shadow=version, shadow_note=note)

    def _forget(self, product: str, version: str, delete: Callable[[], None]) -> Served:
        delete()
        spare = self._spares.get(product)
        if spare is not None and spare.version == version:
            del self._spares[product]
        return self._served.get(product, Served(product, "idle"))

    def _calibrated(self, product: str) -> Served:
        """The product, with its detectors' thresholds as set on disk.

        If the thresholds cannot be read, the thresholds in use stay and a note says so.
        """
        served, note = self._served[product], ""
        for detector in (served.detector, served.shadow):
            if detector is None:
                continue
            try:
                detector.calibration = self._loader.calibration(detector)
            except Refusal as refusal:
                note = f"The moved thresholds cannot be read; the thresholds in use stay: {refusal.detail}"
        if note != served.threshold_note:
            if note:
                self._logger.error("thresholds_not_followed", product=product, reason=note)
            self._served[product] = served = replace(served, threshold_note=note)
        return served

    def _load(self, product: str, version: str | None) -> Loaded:
        """A version's detector, warmed up; from memory if the detector is in memory. Raises Refusal."""
        in_memory = [d for d in self._resident() if d.product == product and d.version == version]
        if in_memory:
            (detector,) = in_memory[:1]
            detector.calibration = self._loader.calibration(detector)  # a spare's was not followed
            return Loaded(detector)
        started = time.monotonic()
        key = product, version or self._loader.active(product) or ""
        size = self._loader.size(*key)
        try:
            self._make_room(key, size)
            loaded = self._loader.load(product, version)
            self._on_owner(loaded.detector.warm_up).result()
        except Refusal:
            raise
        except BadBank as error:  # the version's probe part had another score
            raise Refusal(409, "bank_damaged", str(error)) from None
        except Exception:
            # One bank that cannot be loaded must not stop the loads of other banks.
            self._logger.exception("bank_failed", product=product, bank_version=version)
            detail = "The server failed to load the bank; the server's log says why."
            raise LoadFailed(503, "bank_failed", detail, headers={"Retry-After": "2"}) from None
        finally:
            self._reserved.pop(key, None)
        name = loaded.detector.version  # of a stand-in, another than was asked for
        self._sizes[product, name] = size if name == key[1] else self._loader.size(product, name)
        seconds = round(time.monotonic() - started, 2)
        self._logger.info("bank_loaded", product=product, bank_version=name, seconds=seconds)
        return loaded

    def _resident(self) -> list[PartDetector]:
        pairs = ((served.detector, served.shadow) for served in tuple(self._served.values()))
        detectors = [*(d for pair in pairs for d in pair if d is not None), *tuple(self._spares.values())]
        return list({id(detector): detector for detector in detectors}.values())

    def _fits_now(self, product: str, version: str) -> bool:
        """Whether a version fits into memory now. The version's files are read only if there is a limit."""
        bounded = (self._residency.budget_bytes, self._residency.device_bytes) != (None, None)
        return not bounded or self._fits(self._loader.size(product, version))

    def _fits(self, size: Size) -> bool:
        """Whether this size fits beside the detectors in memory."""
        bounds = self._residency.budget_bytes, self._residency.device_bytes
        wanted = total_of([*self._sizes_in_memory(), size])
        return all(bound is None or taken <= bound for taken, bound in zip(wanted, bounds, strict=True))

    def _make_room(self, key: tuple[str, str], size: Size) -> None:
        """Unload the detectors that were used longest ago until a version fits, and reserve its memory.

        key: the version's product and name.

        Raises LoadFailed.
        """
        with self._orders.paused():
            while not self._fits(size):
                self._unload_oldest(*key)
            self._reserved[key] = size

    def _unload_oldest(self, product: str, version: str) -> None:
        """Unload the detector that was used longest ago, of the products that no thread works on. Where there
        is none, wait for a thread that works on another product.

        product, version: the version that needs the memory. Raises LoadFailed where none can be unloaded.
        """
        busy = self._orders.busy
        spares = [name for name in tuple(self._spares) if name == product or not busy(name)]
        idle = [
            name
            for name, served in tuple(self._served.items())
            if served.detector is not None and name not in self._residency.pinned and not busy(name)
        ]
        if spares:
            victim = self._use.oldest(spares)
            del self._spares[victim]
        elif idle:
            victim = self._use.oldest(idle)
            served = self._served[victim]
            self._served[victim] = replace(
                served, state="idle", detector=None, shadow=None, wanted_shadow=None
            )
        elif self._orders.wait_for_another(product):
            return
        else:
            raise LoadFailed(
                507,
                "no_memory_for_bank",
                f"Version {version} does not fit into the memory budget beside the banks in use. Raise "
                "TRIBANK_MEMORY_BUDGET_MB (or TRIBANK_DEVICE_BUDGET_MB on a GPU), or pin fewer products.",
            )
        self._logger.info("bank_unloaded", product=victim)
