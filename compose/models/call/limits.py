"""How many calls run at once, and how many start in a minute."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

BURST_SECONDS = 1.0
"""How much of its rate a model may be given at once after a pause."""


class Slots:
    """A first-come-first-served semaphore that may live through several event loops."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """Slots in use."""
        return self.count - self.free

    async def acquire(self) -> None:
        """Take a slot, waiting for one if need be; a cancelled wait takes none."""
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            elif turn in self._waiting:  # a release may have passed over it already
                self._waiting.remove(turn)
            raise

    def release(self) -> None:
        """Give a slot back, to the longest waiting if anyone waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


class Pace:
    """Spaces the starts of calls so that a rate per minute is kept.

    A call takes `amount` units (1 for requests, estimated tokens for tokens) and
    starts when those before it have used up theirs, but for a short burst.
    """

    def __init__(self, per_minute: float) -> None:
        self._seconds_each = 60.0 / per_minute
        self._next = 0.0

    async def wait(self, amount: float = 1.0) -> None:
        """Wait until `amount` more may start; a cancelled wait takes nothing."""
        now = time.monotonic()
        start = max(self._next, now - BURST_SECONDS)
        taken = amount * self._seconds_each
        self._next = start + taken
        if start > now:
            try:
                await asyncio.sleep(start - now)
            except asyncio.CancelledError:
                self._next -= taken
                raise


class Limits:
    """What holds for the calls of one model: its own slots and paces, and the slots that all models share."""

    def __init__(self, own: Slots | None, requests: Pace | None, tokens: Pace | None, shared: Slots) -> None:
        self._own = own
        self._requests = requests
        self._tokens = tokens
        self._shared = shared

    async def start(self, tokens: Callable[[], int]) -> None:
        """Wait for a place of the model's own, its rate, then a place among all calls; pair with `end`.

        `tokens` estimates the call's tokens. The rate comes after the own place,
        so that calls which waited for a place do not start in a bunch.
        """
        if self._own is not None:
            await self._own.acquire()
        try:
            if self._requests is not None:
                await self._requests.wait()
            if self._tokens is not None:
                await self._tokens.wait(tokens())
            await self._shared.acquire()
        except BaseException:
            if self._own is not None:
                self._own.release()
            raise

    def end(self) -> None:
        """Give the places back."""
        self._shared.release()
        if self._own is not None:
            self._own.release()
