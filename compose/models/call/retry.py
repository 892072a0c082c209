"""Trying again: only what can get better, when the server says, else after a random wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from compose.errors import ModelError

T = TypeVar("T")

FIRST_WAIT = 0.5
"""Seconds; the longest first wait. Doubles with each attempt."""
LONGEST_WAIT = 30.0
LONGEST_RETRY_AFTER = 300.0
"""A server that wants more patience than this is given up on."""


async def retrying(attempt: Callable[[], Awaitable[T]], retries: int) -> T:
    """Await `attempt()` up to `retries` + 1 times and return its first result.

    Only a `ModelError` that is `retryable` is tried again. `Retry-After` is
    honoured; else the wait is drawn evenly from 0 to a bound that doubles (full
    jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
    """
    for count in range(retries):
        try:
            return await attempt()
        except ModelError as error:
            wait = wait_before_retry(error, count)
            if wait is None:
                raise
        await asyncio.sleep(wait)
    return await attempt()


def wait_before_retry(error: ModelError, count: int) -> float | None:
    """Seconds before the next attempt, `None` if there should be none."""
    if not error.retryable:
        return None
    jitter = random.uniform(0.0, min(LONGEST_WAIT, FIRST_WAIT * 2.0**count))
    asked: float | None = getattr(error, "retry_after", None)
    if asked is None or not asked > 0:  # a wait of nothing, less, or no number is none
        return jitter
    # Everyone was told the same moment: jitter keeps them from all coming back at once.
    return asked + min(jitter, 0.1 * asked) if asked <= LONGEST_RETRY_AFTER else None
