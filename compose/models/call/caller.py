"""`Caller`: takes each sample through the chain of links."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from compose.config import CacheMode, Config, load_config
from compose.errors import BadResponse, CallTimeout, ConfigError, ModelError
from compose.models.cache import Cache, key_of
from compose.models.call.budget import Budget
from compose.models.call.flights import Flights
from compose.models.call.limits import Slots
from compose.models.call.retry import retrying
from compose.models.call.secrets import without_secrets
from compose.models.call.target import Target
from compose.models.call.targets import Targets
from compose.models.ledger import Ledger
from compose.models.model import Delta, Model
from compose.types import Request, Response

SEEN_KEYS = 262_144
"""Recorded answers that are remembered as given out; beyond it the oldest are forgotten (about 30 MB)."""
_MODES: tuple[CacheMode, ...] = ("off", "read", "on")
_replace = msgspec.structs.replace


class Caller:
    """Calls models: cached, shared, within budget and limits, patiently, and accounted for.

    `budget` in USD holds for everything this caller does, `concurrency` for all
    models together, `timeout` in seconds for one attempt. Nothing is opened or
    resolved before the first call. One caller serves one event loop at a time.
    Raises `ConfigError` for an amount out of range.

        async with Caller(budget=1.0) as caller:
            response = await caller.call(Request("gpt-4o-mini", (Message("user", "hi"),)), Ledger())
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        cache: Cache | CacheMode | None = "on",
        budget: float | None = None,
        concurrency: int = 64,
        timeout: float = 120.0,
        retries: int = 4,
        data: Path | None = None,
    ) -> None:
        for name, amount, least in (
            ("budget", budget or 0.0, 0),
            ("concurrency", concurrency, 1),
            ("retries", retries, 0),
        ):
            if not least <= amount < math.inf:
                raise ConfigError(f"{name} is {amount}, not a finite amount of at least {least}")
        if not 0 < timeout < math.inf:
            raise ConfigError(f"timeout is {timeout}, not a finite number of seconds above 0")
        self._config = config
        self._asked_cache = cache
        self._cache: Cache | None = None
        self._budget = Budget(budget)
        self._slots = Slots(concurrency)
        self._retries = retries
        self._flights = Flights()
        self._targets = Targets(slots=self._slots, timeout=timeout, data=data)
        self._seen: dict[bytes, None] = {}

    @property
    def config(self) -> Config:
        """The configuration, read from `compose.toml` unless it was given."""
        if self._config is None:
            self._config = load_config()
        return self._config

    @property
    def cache(self) -> Cache:
        """The cache; of the caller's and the configuration's mode the more careful one holds."""
        if self._cache is None:
            asked = self._asked_cache
            if isinstance(asked, Cache):
                self._cache = asked
            else:
                order = min(_MODES.index(asked or "off"), _MODES.index(self.config.cache))
                self._cache = Cache(mode=_MODES[order], ttl_days=self.config.cache_ttl_days)
        return self._cache

    @property
    def spent(self) -> float:
        """USD paid so far, as far as prices are known."""
        return self._budget.spent

    def model(self, id: str) -> Model:
        """The model behind an id or a name of `compose.toml`; raises `UnknownName`."""
        return self._target(id).model

    def add(self, model: Model) -> None:
        """Use this model for its id and the names that stand for it, whatever the configuration says of providers."""
        self._targets.add(model)

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """Answer one sample and account for it in `ledger` under `node`.

        Raises the `ModelError` of the model asked for when it and its fallbacks
        failed for good, `BudgetExceeded`, `ConfigError` or `CacheError`.
        """
        target = self._target(request.model)
        try:
            response, spent = await self._answer(target, request)
        except ModelError as error:
            without_secrets(error, self._key_names())
            response, spent = await self._fall_back(target, request, error)
        ledger.record(response, node=node, spent=spent)
        return response

    async def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """Answer one sample piece by piece; the last delta carries the response.

        A stored answer comes in one piece. Failures before the first piece are
        handled as in `call`; later ones are raised, since a piece cannot be unsaid.
        """
        target = self._target(request.model)
        asked = self._prepared(target, request)
        key = key_of(asked, target.identity)
        if target.model.stored or self.cache.find(key) is not None:
            response = await self.call(request, ledger, node=node)
            yield Delta(response.text)
            yield Delta(response=response)
            return
        async with aclosing(self._streamed(target, asked, key)) as deltas:
            async for delta in deltas:
                if delta.response is not None:
                    ledger.record(delta.response, node=node, spent=delta.response.usd)
                yield delta

    async def aclose(self) -> None:
        """Give back connections and files. The caller can be used again; it opens them anew."""
        await self._targets.aclose()
        if self._cache is not None and not isinstance(self._asked_cache, Cache):
            self._cache.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # The chain, link by link.

    async def _answer(self, target: Target, request: Request) -> tuple[Response, float | None]:
        """Cache and single-flight: the answer, and what this caller paid for it now."""
        request = self._prepared(target, request)
        key = key_of(request, target.identity)
        if target.model.stored:
            return await self._recorded(target, request, key)
        hit = self.cache.find(key)
        if hit is not None:
            return target.priced(hit), 0.0
        response, mine = await self._flights.join(key, lambda: self._ask(target, request, key))
        return (response, response.usd) if mine else (target.priced(_replace(response, cached=True)), 0.0)

    async def _ask(self, target: Target, request: Request, key: bytes) -> Response:
        """Budget, then attempts; durable before it is used. A call whose price stays unknown costs its worst case."""
        most = self._most(target, request)
        await self._budget.reserve(most)
        cost = 0.0
        try:
            response = await retrying(lambda: self._attempt(target, request), self._retries)
            cost = most if response.usd is None else response.usd
            await self._keep(target, key, response)
        finally:
            self._budget.settle(most, cost)
        return response

    async def _attempt(self, target: Target, request: Request) -> Response:
        """Limits and timeout. One that succeeds still holds its place, until its answer is kept."""
        await target.start(request)
        start = time.perf_counter()
        try:
            async with asyncio.timeout(target.timeout):
                response = await target.model.complete(request)
        except TimeoutError as error:
            target.end()
            raise self._late(target) from error
        except BaseException:
            target.end()
            raise
        return self._finished(target, response, time.perf_counter() - start)

    async def _fall_back(self, target: Target, request: Request, error: ModelError) -> tuple[Response, float | None]:
        for id in target.fallbacks:
            try:
                return await self._answer(self._target(id), request)
            except ModelError as other:
                error.add_note(f"fallback {without_secrets(other, self._key_names())}")
        raise error

    async def _recorded(self, target: Target, request: Request, key: bytes) -> tuple[Response, float | None]:
        """An answer that lies on disk: paid for, at its recorded price, the first time it is used."""
        response = target.priced(await target.model.complete(request))
        if key in self._seen and self.cache.mode != "off":
            return _replace(response, cached=True), 0.0
        if response.usd is None and self._budget.limit is not None:
            target.worst_case(request)
        self._budget.charge(response.usd or 0.0)
        self._seen[key] = None
        if len(self._seen) > SEEN_KEYS:
            del self._seen[next(iter(self._seen))]
        return response, response.usd

    # Parts that `call` and `stream` share.

    def _prepared(self, target: Target, request: Request) -> Request:
        request = target.request(request)
        return request if self._budget.limit is None else target.capped(request)

    def _most(self, target: Target, request: Request) -> float:
        return 0.0 if self._budget.limit is None else target.worst_case(request)

    async def _keep(self, target: Target, key: bytes, response: Response) -> None:
        """Make an answer durable, with those that are in flight beside it, and give its place back."""
        try:
            await self.cache.store(key, response, under_way=self._slots.taken)
        finally:
            target.end()

    def _finished(self, target: Target, response: Response, seconds: float) -> Response:
        if response.seconds or not seconds:
            return target.priced(response)
        return target.priced(_replace(response, seconds=seconds))

    def _late(self, target: Target) -> CallTimeout:
        return CallTimeout(
            f"no answer in {target.timeout:g} s", model=target.id, hint="raise the timeout, or try later"
        )

    async def _streamed(self, target: Target, request: Request, key: bytes) -> AsyncGenerator[Delta]:
        most = self._most(target, request)
        await self._budget.reserve(most)
        cost = 0.0
        try:
            start = time.perf_counter()
            pieces, delta = await self._opened(target, request)
            try:
                async with aclosing(pieces):
                    while delta.response is None:
                        yield delta
                        delta = await self._piece(target, pieces)
            except BaseException:
                target.end()
                raise
            response = self._finished(target, delta.response, time.perf_counter() - start)
            cost = most if response.usd is None else response.usd
            await self._keep(target, key, response)
        except ModelError as error:
            raise without_secrets(error, self._key_names()) from error.__cause__
        finally:
            self._budget.settle(most, cost)
        yield Delta(delta.text, response)

    async def _opened(self, target: Target, request: Request) -> tuple[AsyncGenerator[Delta], Delta]:
        async def attempt() -> tuple[AsyncGenerator[Delta], Delta]:
            await target.start(request)
            pieces = _closable(target.model.stream(request))
            try:
                return pieces, await self._piece(target, pieces)
            except BaseException:
                target.end()
                await pieces.aclose()
                raise

        return await retrying(attempt, self._retries)

    async def _piece(self, target: Target, pieces: AsyncIterator[Delta]) -> Delta:
        try:
            async with asyncio.timeout(target.timeout):
                return await anext(pieces)
        except TimeoutError as error:
            raise self._late(target) from error
        except StopAsyncIteration as error:
            raise BadResponse("the stream ended without an answer", model=target.id) from error

    def _key_names(self) -> list[str]:
        return [m.api_key_env for m in self.config.models.values() if m.api_key_env]

    def _target(self, id: str) -> Target:
        return self._targets.get(id, self.config)


async def _closable(pieces: AsyncIterator[Delta]) -> AsyncGenerator[Delta]:
    """A stream that can be closed, whatever kind of iterator the model gives."""
    try:
        async for piece in pieces:
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
