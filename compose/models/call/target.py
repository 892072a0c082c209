"""What the caller knows about one model: the model itself, its settings, limits and price."""

from __future__ import annotations

from functools import cached_property

import msgspec

from compose.config import ModelConfig
from compose.cost import DEFAULT_OUTPUT, estimate_tokens, most_output, price_of, worst_case
from compose.errors import ConfigError
from compose.models.call.limits import Limits
from compose.models.model import Model
from compose.types import Params, Price, Request, Response

_replace = msgspec.structs.replace


class Target:
    """One model as it is called; made once per id or name and caller."""

    def __init__(self, id: str, model: Model, settings: ModelConfig, *, limits: Limits, timeout: float) -> None:
        self.id = id
        self.model = model
        self.price: Price | None = settings.price or model.price
        self.timeout = settings.timeout or timeout
        self.fallbacks = tuple(name for name in settings.fallbacks if name != id)  # it may be its target's fallback
        self._base_url = settings.base_url
        self._defaults = settings.params if settings.params != Params() else None
        self._limits = limits

    @cached_property
    def identity(self) -> str:
        """What tells the model from others of its id in the cache; a file may be read for it."""
        return getattr(self.model, "identity", "") or self._base_url or ""

    def request(self, asked: Request) -> Request:
        """The request as this model gets it: its own id, and defaults for what is not set."""
        params = asked.params
        if self._defaults is not None:
            params = params.over(self._defaults)
        if params is asked.params and asked.model == self.model.id:
            return asked
        return Request(self.model.id, asked.messages, params, asked.sample)

    def capped(self, request: Request) -> Request:
        """The request with a limit on its answer where nothing else limits it, so that its cost is bounded."""
        known = self.model.stored or most_output(request, self.model.abilities) is not None
        if known or not (self.price and self.price.output):
            return request
        return _replace(request, params=_replace(request.params, max_tokens=DEFAULT_OUTPUT))

    def worst_case(self, request: Request) -> float:
        """The most that a request can cost in USD; raises `ConfigError` if nobody knows."""
        most = worst_case(request, self.price, self.model.abilities)
        if most is None:
            raise ConfigError(
                f"model {self.id!r} has no known price, so a budget cannot be kept",
                hint=f'give it a price in compose.toml: [models."{self.id}"] price = {{input = …, output = …}}',
            )
        return most

    def priced(self, response: Response) -> Response:
        """The response at the price as it is known now.

        The dollars of a model without a price are those that it reported, if any.
        """
        if self.price is None:
            return response
        usd = price_of(response.usage, self.price)
        return response if usd == response.usd else _replace(response, usd=usd)

    async def start(self, request: Request) -> None:
        """Wait for a place and for the model's rate; pair with `end`."""
        await self._limits.start(lambda: estimate_tokens(request.messages) + (request.params.max_tokens or 0))

    def end(self) -> None:
        """Give the place back."""
        self._limits.end()
