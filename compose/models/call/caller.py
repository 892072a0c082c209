"""`Caller`: takes each sample through the chain of links."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from compose.config import CacheMode, Config, load_config
from compose.errors import ConfigError, ModelError
from compose.models.cache import Cache
from compose.models.call.budget import Budget
from compose.models.call.chain import Chain
from compose.models.call.flights import Flights, Record
from compose.models.call.limits import Slots
from compose.models.call.secrets import blank_secrets
from compose.models.call.stream import streamed
from compose.models.call.target import Target
from compose.models.call.targets import Targets
from compose.models.ledger import Ledger
from compose.models.model import Delta, Model
from compose.types import Request, Response

_MODES: tuple[CacheMode, ...] = ("off", "read", "on")


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
    def budget(self) -> float | None:
        """USD that it may spend in all, `None` for no limit."""
        return self._budget.limit

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
        failed for good, `BudgetExceeded`, `ConfigError` or `CacheError`. An answer
        that was paid and is then lost is accounted for, too.
        """
        try:
            return await self._answer(request, _recorder(ledger, node))
        except Exception as error:
            blank_secrets(error, self._key_names())
            raise

    async def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """Answer one sample piece by piece; the last delta carries the response.

        A stored answer comes in one piece, as does one that is under way already.
        Failures before the first piece are handled as in `call`; later ones are
        raised, since a piece cannot be unsaid. What came of a stream that breaks
        off or is left early is accounted for with an estimate.
        """
        try:
            async with aclosing(self._streamed(request, _recorder(ledger, node))) as deltas:
                async for delta in deltas:
                    yield delta
        except Exception as error:
            blank_secrets(error, self._key_names())
            raise

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

    async def _answer(self, request: Request, record: Record) -> Response:
        """The answer of the model asked for, or of the first of its fallbacks that has one."""
        target = self._target(request.model)
        try:
            return await self._chain.answer(target, request, record)
        except ModelError as error:
            for name in target.fallbacks:
                try:
                    return await self._chain.answer(self._target(name), request, record)
                except ModelError as other:
                    _note(error, other)
            raise

    async def _streamed(self, request: Request, record: Record) -> AsyncGenerator[Delta]:
        """The same as a stream; once a piece is given out there is no way back."""
        target = self._target(request.model)
        failed: ModelError | None = None
        for name in (request.model, *target.fallbacks):
            began = False
            try:
                async with aclosing(streamed(self._chain, self._target(name), request, record)) as deltas:
                    async for delta in deltas:
                        began = True
                        yield delta
                return
            except ModelError as error:
                if began:
                    raise
                if failed is None:
                    failed = error
                else:
                    _note(failed, error)
        if failed is not None:
            raise failed

    @cached_property
    def _chain(self) -> Chain:
        return Chain(self.cache, self._budget, self._slots, self._flights, self._retries)

    def _key_names(self) -> list[str]:
        return [m.api_key_env for m in self.config.models.values() if m.api_key_env]

    def _target(self, id: str) -> Target:
        return self._targets.get(id, self.config)


def _recorder(ledger: Ledger, node: str) -> Record:
    return lambda response, spent: ledger.record(response, node=node, spent=spent)


def _note(error: ModelError, fallback: ModelError) -> None:
    """Say of an error what a fallback said; those who waited for one call share its error."""
    note = f"fallback {fallback}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
