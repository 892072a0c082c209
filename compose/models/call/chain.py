"""The links that every call goes through, from the cache to the attempt."""

from __future__ import annotations

import asyncio
import time

import msgspec

from compose.errors import BadResponse, CallTimeout
from compose.models.cache import Cache, key_of
from compose.models.call.budget import Budget
from compose.models.call.flights import Flight, Flights, Make, Record
from compose.models.call.limits import Slots
from compose.models.call.retry import retrying
from compose.models.call.target import Target
from compose.types import Request, Response

SEEN_KEYS = 262_144
"""Recorded answers that are remembered as given out; beyond it the oldest are forgotten (about 30 MB)."""
_replace = msgspec.structs.replace


class Chain:
    """Takes a call of one target through cache, single-flight, budget, limits, timeout and retries to the ledger."""

    def __init__(self, cache: Cache, budget: Budget, slots: Slots, flights: Flights, retries: int) -> None:
        self.cache = cache
        self.budget = budget
        self.flights = flights
        self.retries = retries
        self._slots = slots
        self._seen: dict[bytes, None] = {}

    async def answer(self, target: Target, request: Request, record: Record) -> Response:
        """Cache and single-flight: the answer to one sample; raises the error of the model asked."""
        request, key = self.prepared(target, request)
        if target.model.stored:
            return await self._recorded(target, request, key, record)
        hit = self.cache.find(key)
        if hit is not None:
            hit = target.priced(hit)
            record(hit, 0.0)
            return hit
        return await self.shared(target, key, lambda flight: self._ask(flight, target, request, key), record)

    def prepared(self, target: Target, request: Request) -> tuple[Request, bytes]:
        """The request as the model gets it, and what its answer is kept under."""
        request = target.request(request)
        if self.budget.limit is not None:
            request = target.capped(request)
        return request, key_of(request, target.identity)

    async def shared(self, target: Target, key: bytes, make: Make, record: Record) -> Response:
        """The answer of a flight: paid by the one it was made for, cached to all others."""
        response, mine = await self.flights.join(key, make, record)
        if not mine:
            response = target.priced(_replace(response, cached=True))
        record(response, response.usd if mine else 0.0)
        return response

    async def reserve(self, target: Target, request: Request) -> float:
        """Set aside the most that a call can cost, in USD; pair with one `settle`."""
        if self.budget.limit is None:
            return 0.0
        most = target.worst_case(request)
        await self.budget.reserve(most)
        return most

    def settle(self, most: float, made: Response | None) -> None:
        """Pay for what came of a call. One whose price stays unknown costs its worst case."""
        cost = 0.0 if made is None else made.usd
        self.budget.settle(most, most if cost is None else cost)

    def finished(self, target: Target, response: Response, seconds: float) -> Response:
        """A new answer with its price, and the time that it took where the model does not say."""
        if response.seconds or not seconds:
            return target.priced(response)
        return target.priced(_replace(response, seconds=seconds))

    async def keep(self, target: Target, key: bytes, response: Response) -> None:
        """Make an answer durable, with those that are in flight beside it, and give its place back."""
        try:
            await self.cache.store(key, response, under_way=self._slots.taken)
        except OverflowError as error:
            raise BadResponse(f"the answer cannot be kept: {error}", model=target.id) from error
        finally:
            target.end()

    async def _ask(self, flight: Flight, target: Target, request: Request, key: bytes) -> Response:
        """Budget, then attempts; durable before it is used."""
        most = await self.reserve(target, request)
        try:
            flight.made = response = await retrying(lambda: self._attempt(target, request), self.retries)
            await self.keep(target, key, response)
        finally:
            self.settle(most, flight.made)
        return response

    async def _attempt(self, target: Target, request: Request) -> Response:
        """Limits and timeout. One that succeeds still holds its place, until its answer is kept."""
        await target.start(request)
        start = time.perf_counter()
        try:
            self.budget.check()
            async with asyncio.timeout(target.timeout):
                response = await target.model.complete(request)
        except TimeoutError as error:
            target.end()
            raise late(target) from error
        except BaseException:
            target.end()
            raise
        return self.finished(target, response, time.perf_counter() - start)

    async def _recorded(self, target: Target, request: Request, key: bytes, record: Record) -> Response:
        """An answer that lies on disk: paid for, at its recorded price, the first time it is used."""
        response = target.priced(await target.model.complete(request))
        if key in self._seen and self.cache.mode != "off":
            response = _replace(response, cached=True)
            record(response, 0.0)
            return response
        if response.usd is None and self.budget.limit is not None:
            target.worst_case(request)
        self.budget.charge(response.usd or 0.0)
        self._seen[key] = None
        if len(self._seen) > SEEN_KEYS:
            del self._seen[next(iter(self._seen))]
        record(response, response.usd)
        return response


def late(target: Target) -> CallTimeout:
    """The error of an attempt that took too long."""
    return CallTimeout(f"no answer in {target.timeout:g} s", model=target.id, hint="raise the timeout, or try later")
