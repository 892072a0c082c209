"""Single-flight: whoever asks for what is already being asked waits for that answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from compose.types import Response


class Flight:
    """One call under way, and how many wait for it."""

    __slots__ = ("claimed", "task", "waiters")

    def __init__(self, task: asyncio.Task[Response]) -> None:
        self.task = task
        self.waiters = 0
        self.claimed = False

    def claim(self) -> bool:
        """True for the one waiter in whose name the answer is paid."""
        first = not self.claimed
        self.claimed = True
        return first


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
        if flight is None or flight.task.get_loop() is not loop:
            flight = self._begin(key, loop.create_task(make()))
        flight.waiters += 1
        try:
            response = await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.waiters == 1 and not flight.task.done():
                self._end(key, flight)
                flight.task.cancel()
                await asyncio.wait((flight.task,))
            raise
        finally:
            flight.waiters -= 1
        return response, flight.claim()

    def _begin(self, key: bytes, task: asyncio.Task[Response]) -> Flight:
        flight = self._flights[key] = Flight(task)
        task.add_done_callback(lambda _: self._end(key, flight))
        return flight

    def _end(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
