"""Which detectors are in memory: loaded beside those in use, swapped in between parts, unloaded again.

One thread follows the disk and two carry out orders, so that scoring goes on meanwhile and a slow load holds
up no order for another product; at one product only one of them works at a time. Only a new detector's
warm-up, which costs as much as one part, takes a turn of the thread that scores. A part keeps the detector
it was admitted with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from banks.versions.store import BadBank
from service.engine.detectors import Loaded, Loader, PartDetector, Residency, Served, Size, total_of
from service.engine.misses import Misses
from service.engine.orders import Orders
from service.refusals import NotReady, Refusal, UnknownProduct


class _LoadFailed(NotReady):
    """A load failed for another reason than the version's files: it may go well the next time."""

    def __init__(self) -> None:
        super().__init__("bank_failed", "The bank could not be loaded; the service's log says why.")


class Residents:
    """The detectors of all products. Methods may be called from any thread."""

    def __init__(
        self,
        loader: Loader,
        *,
        on_owner: Callable[[Callable[[], None]], Future[None]],
        residency: Residency,
        logger: FilteringBoundLogger,
    ) -> None:
        """on_owner: runs a call on the thread that scores."""
        self._loader = loader
        self._on_owner = on_owner
        self._residency = residency
        self._logger = logger
        self._served: dict[str, Served] = {}
        self._spares: dict[
            str, PartDetector
        ] = {}  # the version that was active before, ready for a roll-back
        self._sizes: dict[tuple[str, str], Size] = {}
        self._coming: dict[tuple[str, str], Size] = {}  # being loaded: their memory is spoken for
        self._misses = Misses(loader.stamp)
        self._used: dict[str, float] = {}
        self._wakened: dict[str, Future[Served]] = {}
        self._orders: Orders[Served] = Orders(logger)
        self._waking = threading.Lock()
        self._closing = threading.Event()
        self.settled = False
        """Whether every product found at the start has been tried."""
        self._thread = threading.Thread(target=self._follow_disk, name="tribank-loader", daemon=True)

    def start(self) -> None:
        """Load the products, then follow what changes on disk."""
        self._orders.start()
        self._thread.start()

    def alive(self) -> bool:
        """Whether all its threads are at work. One that died leaves orders without an answer."""
        follows = self._closing.is_set() or self._thread.ident is None or self._thread.is_alive()
        return follows and self._orders.alive()

    def close(self, timeout_s: float = 5.0) -> None:
        """Load nothing more. What waits for a load fails."""
        self._closing.set()
        self._orders.close(timeout_s)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def products(self) -> dict[str, Served]:
        """All products by name, served or not."""
        return dict(self._served)

    def memory_bytes(self) -> int:
        """What the detectors in memory take on the host; a network that many use counts once."""
        return total_of(self._taken())[0]

    def sizes(self) -> dict[str, int]:
        """Bytes that each product's own banks take: of its version in use, its shadow, and the one before."""
        found: dict[str, int] = {}
        for detector in self._resident():
            size = self._sizes.get((detector.product, detector.version), Size())
            found[detector.product] = found.get(detector.product, 0) + size.banks
        return found

    def _taken(self) -> list[Size]:
        """What is in memory or on its way there."""
        keys = [(detector.product, detector.version) for detector in self._resident()]
        return [*(self._sizes.get(key, Size()) for key in keys), *tuple(self._coming.values())]

    def want(self, product: str) -> Future[Served]:
        """The product with its detector: at once if it is in memory, else when it is loaded."""
        self._used[product] = time.monotonic()
        served = self._served.get(product)
        if served is not None and served.detector is not None:
            ready: Future[Served] = Future()
            ready.set_result(served)
            return ready
        with self._waking:
            if product not in self._wakened:
                self._wakened[product] = self._orders.add(product, lambda: self._waken(product))
            return self._wakened[product]

    def activate(self, product: str, version: str, write: Callable[[], None]) -> Future[Served]:
        """Load a version beside the one in use and, once it is warm, call `write` and swap.

        write: makes the version the active one on disk; what it raises leaves everything as it was.
        """
        return self._orders.add(product, lambda: self._activate(product, version, write))

    def refresh(self, product: str) -> Future[Served]:
        """Look at one product on disk now."""
        return self._orders.add(product, lambda: self._look_at(product))

    def forget(self, product: str, version: str, delete: Callable[[], None]) -> Future[Served]:
        """Call `delete`, and let go of the version if it is kept for a roll-back."""
        return self._orders.add(product, lambda: self._forget(product, version, delete))

    def _follow_disk(self) -> None:
        """The thread that looks at the disk."""
        while not self._closing.is_set():
            self._look()
            self.settled = True
            self._closing.wait(self._residency.poll_s)

    def _look(self) -> None:
        """Bring all products to what disk says."""
        try:
            names = self._loader.products()
        except OSError:
            self._logger.exception("banks_not_readable")
            return
        if not self.settled:
            for product in names:
                self._served.setdefault(product, Served(product, "loading"))
        pinned = self._residency.pinned
        for product in sorted({*names, *self._served}, key=lambda name: (name not in pinned, name)):
            if self._closing.is_set():
                return
            if self.settled and self._orders.busy(product):
                continue  # whoever works at it looks at it too
            try:
                with self._orders.at(product):
                    self._look_at(product)
            except UnknownProduct:
                continue
            except Exception:
                self._logger.exception("bank_not_readable", product=product)

    def _look_at(self, product: str) -> Served:
        served = self._served.get(product, Served(product, "idle"))
        try:
            wanted = self._loader.active(product)
        except Refusal as refusal:
            return self._lost_track(served, refusal)
        if wanted is None:
            self._served.pop(product, None)
            self._spares.pop(product, None)
            raise UnknownProduct
        failed = served.state == "failed"
        missed = failed or served.degraded
        if wanted != served.wanted or (
            missed and self._misses.worth_a_try(product, None if failed else wanted)
        ):
            fresh = replace(served, wanted=wanted)
            eager = not self._residency.lazy or product in self._residency.pinned
            if served.detector is not None or failed or (eager and self._fits_now(product, wanted)):
                self._follow(fresh, wanted)
            else:
                self._served[product] = replace(fresh, state="idle")
        self._follow_shadow(self._served[product])
        return self._calibrated(product)

    def _lost_track(self, served: Served, refusal: Refusal) -> Served:
        """Disk does not tell which version is wanted: what is served goes on, what is not is failed."""
        if served.note != refusal.detail:
            self._logger.error("bank_not_served", product=served.product, reason=refusal.detail)
        state = "failed" if served.detector is None else "serving"
        lost = replace(served, state=state, note=refusal.detail, wanted=None)
        self._served[served.product] = lost
        return self._calibrated(served.product)

    def _follow_shadow(self, served: Served) -> None:
        """Bring the shadow of a product to what disk says."""
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
            or (shadow and served.shadow is None and self._misses.worth_a_try(product, shadow))
        ):
            self._cast_shadow(served, shadow)

    def _follow(self, served: Served, wanted: str) -> None:
        """Serve the version that disk names; keep what is served where that one cannot be."""
        product, in_use = served.product, served.detector
        if in_use is None and served.state != "failed":  # a further try does not hide that it failed
            self._served[product] = replace(served, state="loading")
        sought = wanted if in_use else None
        stamps = {version: self._misses.stamp(product, version) for version in (wanted, sought)}
        try:
            loaded = self._bring(product, sought)
        except Refusal as refusal:
            self._missed(product, sought, stamps[sought], refusal)
            note = f"Version {wanted} is not served: {refusal.detail}" if in_use else refusal.detail
            self._served[product] = replace(served, state="serving" if in_use else "failed", note=note)
            return
        if self._swap(served, loaded).degraded:
            self._misses.note(product, wanted, stamps[wanted], files=True)
            version = loaded.detector.version
            self._logger.warning("bank_stands_in", product=product, bank_version=version, wanted=wanted)

    def _missed(self, product: str, version: str | None, stamp: Hashable, refusal: Refusal) -> None:
        """Remember, and log, that a version was not loaded."""
        self._misses.note(product, version, stamp, files=not isinstance(refusal, _LoadFailed))
        self._logger.error("bank_not_served", product=product, bank_version=version, reason=refusal.detail)

    def _swap(self, served: Served, loaded: Loaded) -> Served:
        if served.detector is not None and served.detector is not loaded.detector:
            self._spares[served.product] = served.detector
        fresh = replace(served, state="serving", detector=loaded.detector, note=loaded.note)
        self._served[served.product] = fresh
        return fresh

    def _waken(self, product: str) -> Served:
        try:
            served = self._served.get(product)
            if served is None:
                raise UnknownProduct
            if served.detector is None:
                self._follow(served, served.wanted or "")
        finally:
            with self._waking:
                self._wakened.pop(product, None)
        served = self._look_at(product)
        if served.detector is None:
            raise NotReady("bank_failed", served.note)
        return served

    def _activate(self, product: str, version: str, write: Callable[[], None]) -> Served:
        loaded = self._bring(product, version)
        write()
        served = self._served.get(product, Served(product, "idle"))
        self._swap(replace(served, wanted=version), loaded)
        return self._look_at(product)

    def _cast_shadow(self, served: Served, version: str | None) -> None:
        product, shadow, note = served.product, None, ""
        if version is not None:
            stamp = self._misses.stamp(product, version)
            try:
                shadow = self._bring(product, version).detector
            except Refusal as refusal:
                self._missed(product, version, stamp, refusal)
                note = f"Shadow {version} is not scored: {refusal.detail}"
        self._served[product] = replace(served, shadow=shadow, wanted_shadow=version, shadow_note=note)

    def _forget(self, product: str, version: str, delete: Callable[[], None]) -> Served:
        delete()
        spare = self._spares.get(product)
        if spare is not None and spare.version == version:
            del self._spares[product]
        return self._served.get(product, Served(product, "idle"))

    def _calibrated(self, product: str) -> Served:
        """The product, its detectors' thresholds as they are set on disk.

        Where disk does not tell, those in force stay and a note says so.
        """
        served, note = self._served[product], ""
        for detector in (served.detector, served.shadow):
            if detector is None:
                continue
            try:
                detector.calibration = self._loader.calibration(detector)
            except Refusal as refusal:
                note = f"Moved thresholds are not followed, those in force stay: {refusal.detail}"
        if note != served.threshold_note:
            if note:
                self._logger.error("thresholds_not_followed", product=product, reason=note)
            self._served[product] = served = replace(served, threshold_note=note)
        return served

    def _bring(self, product: str, version: str | None) -> Loaded:
        """A warm detector of a version, from memory if it is there. Raises Refusal."""
        at_hand = [d for d in self._resident() if d.product == product and d.version == version]
        if at_hand:
            return Loaded(at_hand[0])
        started = time.monotonic()
        key = product, version or self._loader.active(product) or ""
        size = self._loader.size(*key)
        try:
            self._make_room(key, size)
            loaded = self._loader.load(product, version)
            self._on_owner(loaded.detector.warm_up).result()
        except Refusal:
            raise
        except BadBank as error:  # its probe
            raise Refusal(409, "bank_damaged", str(error)) from None
        except Exception:
            # One bank that cannot be served must not keep the others from it.
            self._logger.exception("bank_failed", product=product, bank_version=version)
            raise _LoadFailed from None
        finally:
            self._coming.pop(key, None)
        found = loaded.detector.version
        self._sizes[product, found] = size if found == key[1] else self._loader.size(product, found)
        seconds = round(time.monotonic() - started, 2)
        self._logger.info("bank_loaded", product=product, bank_version=found, seconds=seconds)
        return loaded

    def _resident(self) -> list[PartDetector]:
        pairs = ((served.detector, served.shadow) for served in tuple(self._served.values()))
        found = [*(d for pair in pairs for d in pair if d is not None), *tuple(self._spares.values())]
        return list({id(detector): detector for detector in found}.values())

    def _fits_now(self, product: str, version: str) -> bool:
        """Whether a version fits beside what is in memory. Its files are looked at only if there is a
        bound."""
        bounded = (self._residency.budget_bytes, self._residency.device_bytes) != (None, None)
        return not bounded or self._fits(self._loader.size(product, version))

    def _fits(self, size: Size) -> bool:
        """Whether that much fits beside what is in memory."""
        bounds = self._residency.budget_bytes, self._residency.device_bytes
        wanted = total_of([*self._taken(), size])
        return all(bound is None or taken <= bound for taken, bound in zip(wanted, bounds, strict=True))

    def _make_room(self, key: tuple[str, str], size: Size) -> None:
        """Unload what was used longest ago, until a version of that size fits beside the rest; the room is
        then spoken for. key: its product and name. Raises Refusal."""
        with self._orders.paused():
            while not self._fits(size):
                self._unload_one(*key)
            self._coming[key] = size

    def _unload_one(self, product: str, version: str) -> None:
        """Let go of what was used longest ago, of the products that nobody works at. Raises Refusal."""
        used, busy = self._used.get, self._orders.busy
        spares = [name for name in self._spares if name == product or not busy(name)]
        idle = [
            name
            for name, served in tuple(self._served.items())
            if served.detector is not None and name not in self._residency.pinned and not busy(name)
        ]
        if spares:
            victim = min(spares, key=lambda name: used(name, 0.0))
            del self._spares[victim]
        elif idle:
            victim = min(idle, key=lambda name: used(name, 0.0))
            served = self._served[victim]
            self._served[victim] = replace(
                served, state="idle", detector=None, shadow=None, wanted_shadow=None
            )
        else:
            raise Refusal(
                507,
                "no_memory_for_bank",
                f"Version {version} does not fit into the memory budget beside what is in use. Raise "
                "TRIBANK_MEMORY_BUDGET_MB (or TRIBANK_DEVICE_BUDGET_MB on a GPU), or pin fewer products.",
            )
        self._logger.info("bank_unloaded", product=victim)
