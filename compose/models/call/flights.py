"""Single-flight: whoever asks for what is already being asked waits for that answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from compose.types import Response


class Flight:
    """One call under way, who waits for it, and whether its price is accounted for."""

    __slots__ = ("claimed", "loop", "task", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.task: asyncio.Task[None] | None = None
        self.waiting: list[asyncio.Future[Response]] = []
        self.claimed = False

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


class Flights:
    """The calls under way by key.

    A call outlives the cancellation of whoever began it as long as one waiter is
    left. When the last one goes, the call is cancelled and has given back all it
    held before that waiter's cancellation goes on.
    """

    def __init__(self) -> None:
        self._flights: dict[bytes, Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: bytes, make: Callable[[], Coroutine[Any, Any, Response]]) -> tuple[Response, bool]:
        """The answer, and whether this waiter is the one that it was made for."""
        loop = asyncio.get_running_loop()
        flight = self._flights.get(key)
        if flight is None or flight.loop is not loop:
            flight = self._flights[key] = Flight(loop)
            flight.task = loop.create_task(self._fly(key, flight, make))
        waiter: asyncio.Future[Response] = loop.create_future()
        flight.waiting.append(waiter)
        try:
            response = await waiter
        except asyncio.CancelledError:
            await self._leave(key, flight, waiter)
            raise
        mine, flight.claimed = not flight.claimed, True
        return response, mine

    async def _fly(self, key: bytes, flight: Flight, make: Callable[[], Coroutine[Any, Any, Response]]) -> None:
        """Make the call and tell the waiters from here, which saves each a round through the loop."""
        try:
            response = await make()
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
