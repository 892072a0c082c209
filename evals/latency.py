"""What an answer takes in time, read off the calls that were made for it.

Items are asked many at once and samples are reused, so the clock on the wall
says little. A call's own seconds are known even where it was cached or recorded.
A call waits for those that ended before it began; along this order the seconds
add up to the critical path.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from compose.models.ledger import Ledger
    from compose.models.model import Delta
    from compose.pipeline.run import Calls
    from compose.types import Request, Response


class CriticalPath:
    """Stands before a caller for one run and adds up the critical path of its calls."""

    def __init__(self, caller: Calls) -> None:
        self._caller = caller
        self._end = 0.0
        self._timed = True

    @property
    def seconds(self) -> float | None:
        """Seconds from the question to the last answer; `None` without calls, or where one has no time."""
        return self._end if self._timed and self._end else None

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """`Caller.call`, timed. Yields once first, so that calls made side by side are seen as such."""
        began = self._end
        await asyncio.sleep(0)
        response = await self._caller.call(request, ledger, node=node)
        self._add(began, response)
        return response

    async def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """`Caller.stream`, timed."""
        began = self._end
        async for delta in self._caller.stream(request, ledger, node=node):
            if delta.response is not None:
                self._add(began, delta.response)
            yield delta

    def _add(self, began: float, response: Response) -> None:
        self._timed = self._timed and response.seconds > 0
        self._end = max(self._end, began + response.seconds)
