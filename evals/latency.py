"""What an answer takes in time, read off the calls that were made for it.

Items are asked many at once and samples are reused, so the clock on the wall
says little. A call's own seconds are known even where it was cached or recorded.
A step begins when the last of those it waits for has ended; along the graph the
seconds add up to the critical path.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from compose.models.ledger import Ledger
    from compose.models.model import Delta
    from compose.pipeline.graph import Pipeline
    from compose.pipeline.run import Calls
    from compose.types import Request, Response


class CriticalPath:
    """Stands before a caller for one run of a pipeline and adds up the critical path of its calls.

    Of one step, a call waits for those that ended before it was made.
    """

    def __init__(self, caller: Calls, pipeline: Pipeline) -> None:
        self._caller = caller
        self._parents = {node.id: node.parents for node in pipeline.plan}
        self._ends: dict[str, float] = {}
        self._timed = True

    @property
    def seconds(self) -> float | None:
        """Seconds from the question to the last answer; `None` without calls, or where one has no time."""
        return max(self._ends.values(), default=0.0) or None if self._timed else None

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """`Caller.call`, timed. Yields once first, so that calls made side by side are seen as such."""
        began = self._begin(node)
        await asyncio.sleep(0)
        response = await self._caller.call(request, ledger, node=node)
        self._add(node, began, response)
        return response

    async def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """`Caller.stream`, timed."""
        began = self._begin(node)
        async for delta in self._caller.stream(request, ledger, node=node):
            if delta.response is not None:
                self._add(node, began, delta.response)
            yield delta

    def _begin(self, node: str) -> float:
        if node not in self._ends:
            self._ends[node] = self._start(node)
        return self._ends[node]

    def _start(self, node: str) -> float:
        """The latest end among a step's parents; a parent without calls ends when its own parents do."""
        start = 0.0
        ahead = list(self._parents.get(node, ()))
        seen = set(ahead)
        while ahead:
            parent = ahead.pop()
            if parent in self._ends:
                start = max(start, self._ends[parent])
                continue
            further = [p for p in self._parents[parent] if p not in seen]
            seen.update(further)
            ahead += further
        return start

    def _add(self, node: str, began: float, response: Response) -> None:
        self._timed = self._timed and response.seconds > 0
        self._ends[node] = max(self._ends[node], began + response.seconds)
