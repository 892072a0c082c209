"""What an item's answer would take in time, read off the calls that were made for it.

Searching reuses samples and asks many items at once, so the clock on the wall
says little. A call's own seconds are known even where it was cached. A call
waits for those that ended before it began; along this order the seconds add up
to the critical path.
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


class Watch:
    """Stands before a caller and notes the critical path of every run's calls, in seconds."""

    def __init__(self, caller: Calls) -> None:
        self._caller = caller
        self._paths: dict[int, float] = {}
        self._alive: dict[int, Ledger] = {}

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """`Caller.call`, timed. Yields once first, so that calls made side by side are seen as such."""
        run = ledger.parent
        if run is None:  # a scorer's call
            return await self._caller.call(request, ledger, node=node)
        key = id(run)
        self._alive[key] = run
        began = self._paths.get(key, 0.0)
        await asyncio.sleep(0)
        response = await self._caller.call(request, ledger, node=node)
        self._paths[key] = max(self._paths.get(key, 0.0), began + response.seconds)
        return response

    def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """`Caller.stream`, untimed: a search does not stream."""
        return self._caller.stream(request, ledger, node=node)

    def mean(self) -> float | None:
        """Mean critical path of the runs seen, `None` where no call was timed; begins anew after that."""
        paths = list(self._paths.values())
        self._paths.clear()
        self._alive.clear()
        return sum(paths) / len(paths) if any(paths) else None
