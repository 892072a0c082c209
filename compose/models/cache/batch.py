"""Answers that arrive together, committed together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compose.errors import CacheError
from compose.models.cache.database import BUSY_SECONDS, NAP_SECONDS, is_busy

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

Row = tuple[bytes, str, float, bytes]
"""Key, model, seconds since 1970, encoded response."""


GATHERING_SECONDS = 0.002
"""How long a finished answer may wait for others that are under way, to share their commit."""


class Batch:
    """Collects rows, then writes them with one commit.

    The commit comes at the end of the tick of the loop; when more answers are
    known to be under way, a little later, or as soon as the last of them is in.
    While another process writes, it comes back later instead of holding up the
    loop. A waiter that is cancelled leaves its row in the batch: it is paid for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, write: Callable[[list[Row]], None]) -> None:
        self.loop = loop
        self._write = write
        self._rows: list[Row] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._planned: asyncio.Handle | None = None
        self._deadline = 0.0

    def add(self, row: Row, under_way: int | None) -> asyncio.Future[None]:
        """The future is done once the row is durable; it raises `CacheError` if that failed.

        `under_way` is how many calls are not yet done, this one included.
        """
        done = self.loop.create_future()
        self._rows.append(row)
        self._waiting.append(done)
        if self._deadline == 0.0:
            self._deadline = self.loop.time() + BUSY_SECONDS
        if under_way is not None and under_way <= len(self._rows):
            self._commit()
        elif self._planned is None:
            gather = under_way is not None
            self._planned = (
                self.loop.call_later(GATHERING_SECONDS, self._commit) if gather else self.loop.call_soon(self._commit)
            )
        return done

    def flush(self) -> None:
        """Commit what is there now: the loop may be about to end."""
        if self._rows:
            self._commit()

    def _commit(self) -> None:
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        failure: CacheError | None = None
        try:
            self._write(self._rows)
        except CacheError as error:
            if is_busy(error) and self.loop.time() < self._deadline:
                self._planned = self.loop.call_later(NAP_SECONDS, self._commit)
                return
            failure = error
        waiting = self._waiting
        self._rows, self._waiting, self._deadline = [], [], 0.0
        for done in waiting:
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
