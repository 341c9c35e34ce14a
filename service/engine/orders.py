"""A queue of orders for products. Two threads carry out the orders.

The orders of one product run one after another; the orders of several products run at the same time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from structlog.typing import FilteringBoundLogger

from service.refusals import NotReady, Refusal, ScoringStopped

THREADS = 2
"""Threads that carry out orders: a slow load does not delay another product's order."""

_T = TypeVar("_T")


@dataclass(slots=True)
class _Order(Generic[_T]):
    product: str
    work: Callable[[], _T]
    future: Future[_T] = field(default_factory=Future)


class Orders(Generic[_T]):
    """The orders that wait or run. Only one thread works on a product at a time. Any thread may call the
    methods."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger
        self._waiting: deque[_Order[_T]] = deque()
        self._busy: set[str] = set()
        self._held_up: set[str] = set()  # of these, the products whose thread waits for another one
        self._wake = threading.Condition()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._run, name=f"tribank-orders-{number}", daemon=True)
            for number in range(THREADS)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """Whether every thread runs. A thread that died leaves orders without an answer."""
        return self._closing or all(thread.ident is None or thread.is_alive() for thread in self._threads)

    def close(self, timeout_s: float) -> None:
        """Finish the orders that run and refuse the orders that wait."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout_s)
        while self._waiting:
            self._carry_out(self._waiting.popleft())

    def add(self, product: str, work: Callable[[], _T]) -> Future[_T]:
        """Queue an order for a product; the future gets what `work` returns. Raises NotReady after
        `close`."""
        order = _Order(product, work)
        with self._wake:
            if self._closing:
                raise _stopping()
            self._waiting.append(order)
            self._wake.notify_all()
        return order.future

    def busy(self, product: str) -> bool:
        """Whether a thread works on the product now."""
        return product in self._busy

    @contextmanager
    def reserved(self, product: str) -> Iterator[None]:
        """Wait until no thread works on the product, then keep the product for the calling thread."""
        with self._wake:
            self._wake.wait_for(lambda: product not in self._busy)
            self._busy.add(product)
        try:
            yield
        finally:
            self._release(product)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No thread begins to work on another product meanwhile, except in `wait_for_another`."""
        with self._wake:
            yield

    def wait_for_another(self, product: str) -> bool:
        """Wait until a thread may have ended its work on another product. For the thread that works on this
        product, within `paused`.

        Returns False at once where there is nothing to wait for: no thread works on another product, or each
        of these threads waits, too.
        """
        if self._closing or not self._busy - self._held_up - {product}:
            return False
        self._held_up.add(product)
        try:
            self._wake.wait()
        finally:
            self._held_up.discard(product)
        return True

    def _release(self, product: str) -> None:
        with self._wake:
            self._busy.discard(product)
            self._wake.notify_all()

    def _run(self) -> None:
        while (order := self._next()) is not None:
            try:
                self._carry_out(order)
            finally:
                self._release(order.product)

    def _next(self) -> _Order[_T] | None:
        """The first order whose product no thread works on; the product is busy from then on. None after
        `close`."""
        with self._wake:
            while not self._closing:
                for order in self._waiting:
                    if order.product not in self._busy:
                        self._waiting.remove(order)
                        self._busy.add(order.product)
                        return order
                self._wake.wait()
        return None

    def _carry_out(self, order: _Order[_T]) -> None:
        if not order.future.set_running_or_notify_cancel():
            return
        if self._closing:
            order.future.set_exception(_stopping())
            return
        try:
            order.future.set_result(order.work())
        except Refusal as refusal:
            order.future.set_exception(refusal)
        except Exception:
            self._logger.exception("bank_order_failed", product=order.product)
            detail = f"The server failed to load or change the banks of {order.product}; its log says why."
            order.future.set_exception(Refusal(500, "bank_order_failed", detail))
        except BaseException:  # the thread ends, and the service ends with the thread
            order.future.set_exception(ScoringStopped())
            raise


def _stopping() -> NotReady:
    return NotReady("not_running", "The server is shutting down. Send the request again later.")
