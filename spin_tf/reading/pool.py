"""Interpreters lent to one thread at a time, also after a fork."""

from __future__ import annotations

import contextlib
import os
import queue
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

_Item = TypeVar("_Item")


class Pool(Generic[_Item]):
    """Up to `size` items that threads take in turn; each is made when it is first needed.

    In a forked process the pool begins anew: what other threads had taken would never come back, since they do not
    exist there, and an item may have been copied in the middle of its work.

    Args:
        make: makes an item; what it raises comes out of `take`, and the next one tries again.
        size: items at the same time.
    """

    def __init__(self, make: Callable[[], _Item], size: int) -> None:
        self._make = make
        self._size = size
        # Items of the process that this one was forked from: running their destructors could wait for its threads.
        self._abandoned: list[Any] = []
        self._reset()
        _pools.add(self)

    def _reset(self) -> None:
        self._slots: queue.LifoQueue[_Item | None] = queue.LifoQueue()
        # All slots are there from the start, empty: whoever takes an empty one fills it.
        for _ in range(self._size):
            self._slots.put(None)

    def _begin_anew(self) -> None:
        self._abandoned.append(self._slots)
        self._reset()

    @contextlib.contextmanager
    def take(self) -> Iterator[_Item]:
        """Lends an item; waits until one is free."""
        slots = self._slots
        item = slots.get()
        try:
            if item is None:
                item = self._make()
            yield item
        finally:
            slots.put(item)


_pools: weakref.WeakSet[Pool[Any]] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in list(_pools):
        pool._begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
