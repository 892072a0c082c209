"""Single-flight: whoever asks for what is already being asked waits for that answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from compose.types import Response

Record = Callable[[Response, float | None], None]
"""Takes an answer into the ledger, with what was paid for it now in USD."""


class Flight:
    """One call under way, who waits for it, and whether its price is accounted for.

    `made` is what came of the call and has to be paid, whether or not it could be kept.
    """

    __slots__ = ("claimed", "loop", "made", "task", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.task: asyncio.Task[None] | None = None
        self.waiting: list[asyncio.Future[Response]] = []
        self.made: Response | None = None
        self.claimed = False

    def claim(self) -> bool:
        """Whether who asks is the first to be told of something that has to be paid."""
        mine = self.made is not None and not self.claimed
        self.claimed = self.claimed or mine
        return mine

    def tell(self, response: Response) -> None:
        """Give the answer to everyone who still waits."""
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(response)

    def fail(self, error: BaseException) -> None:
        """Give the error to everyone who still waits."""
        for waiter in self.waiting:
            if waiter.done():
                continue
            if isinstance(error, asyncio.CancelledError):
                waiter.cancel()
            else:
                waiter.set_exception(error)


Make = Callable[[Flight], Coroutine[Any, Any, Response]]
"""Makes the call of a flight, and sets its `made`."""


class Flights:
    """The calls under way by key.

    A call outlives the cancellation of whoever began it as long as one waiter is
    left. When the last one goes, the call is cancelled and has given back all it
    held before that waiter's cancellation goes on. What was paid for an answer is
    accounted for once, also when nobody gets it.
    """

    def __init__(self) -> None:
        self._flights: dict[bytes, Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: bytes, make: Make, lost: Record) -> tuple[Response, bool]:
        """The answer, and whether this waiter is the one that it was made for.

        `lost` is told of an answer that was paid and that this waiter, the first
        to end, does not get: it could not be kept, or the waiter is cancelled.
        """
        loop = asyncio.get_running_loop()
        flight = self._flights.get(key)
        if flight is None or flight.loop is not loop:
            flight = self._flights[key] = Flight(loop)
            flight.task = loop.create_task(self._fly(key, flight, make))
        waiter: asyncio.Future[Response] = loop.create_future()
        flight.waiting.append(waiter)
        try:
            response = await waiter
        except BaseException as error:
            try:
                if isinstance(error, asyncio.CancelledError):
                    await self._leave(key, flight, waiter)
            finally:
                if flight.made is not None and flight.claim():
                    lost(flight.made, flight.made.usd)
            raise
        return response, flight.claim()

    async def _fly(self, key: bytes, flight: Flight, make: Make) -> None:
        """Make the call and tell the waiters from here, which saves each a round through the loop."""
        try:
            response = await make(flight)
        except BaseException as error:
            self._end(key, flight)
            flight.fail(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._end(key, flight)
            flight.tell(response)

    async def _leave(self, key: bytes, flight: Flight, waiter: asyncio.Future[Response]) -> None:
        flight.waiting.remove(waiter)
        task = flight.task
        if flight.waiting or task is None or task.done():
            return
        self._end(key, flight)
        task.cancel()
        await asyncio.wait((task,))

    def _end(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
