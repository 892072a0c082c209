"""Slots under cancellation."""

import asyncio

import pytest

from compose.models.call.limits import Limits, Pace, Slots


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


async def test_a_call_takes_of_the_rate_only_once_it_has_a_place_of_its_own() -> None:
    started: list[float] = []

    class Counted(Pace):
        async def wait(self, amount: float = 1.0) -> None:
            started.append(amount)

    limits = Limits(Slots(1), None, Counted(60), Slots(9))
    await limits.start(lambda: 5)
    waiting = asyncio.create_task(limits.start(lambda: 7))
    await asyncio.sleep(0)
    assert started == [5]
    limits.end()
    await waiting
    assert started == [5, 7]


async def test_a_wait_for_the_rate_that_is_cancelled_gives_its_place_back() -> None:
    own, shared = Slots(1), Slots(1)
    limits = Limits(own, Pace(0.001), None, shared)
    await limits.start(lambda: 0)
    limits.end()
    waiting = asyncio.create_task(limits.start(lambda: 0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (own.free, shared.free) == (1, 1)
