"""Slots under cancellation."""

import asyncio

import pytest

from compose.models.call.limits import Slots


async def test_a_wait_cancelled_before_a_release_stays_a_cancellation() -> None:
    slots = Slots(1)
    await slots.acquire()
    waiting = asyncio.ensure_future(slots.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    slots.release()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slots.free == 1
