"""Answers of one tick of an event loop, committed together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compose.errors import CacheError
from compose.models.cache.database import BUSY_SECONDS, NAP_SECONDS, is_busy

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

Row = tuple[bytes, str, float, bytes]
"""Key, model, seconds since 1970, encoded response."""


class Batch:
    """Collects rows until the end of the tick, then writes them with one commit.

    While another process writes, it comes back later instead of holding up the
    loop. A waiter that is cancelled leaves its row in the batch: it is paid for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, write: Callable[[list[Row]], None]) -> None:
        self.loop = loop
        self._write = write
        self._rows: list[Row] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._deadline = 0.0

    def add(self, row: Row) -> asyncio.Future[None]:
        """The future is done once the row is durable; it raises `CacheError` if that failed."""
        done = self.loop.create_future()
        if not self._rows:
            self._deadline = self.loop.time() + BUSY_SECONDS
            self.loop.call_soon(self._commit)
        self._rows.append(row)
        self._waiting.append(done)
        return done

    def _commit(self) -> None:
        failure: CacheError | None = None
        try:
            self._write(self._rows)
        except CacheError as error:
            if is_busy(error) and self.loop.time() < self._deadline:
                self.loop.call_later(NAP_SECONDS, self._commit)
                return
            failure = error
        waiting = self._waiting
        self._rows, self._waiting = [], []
        for done in waiting:
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
