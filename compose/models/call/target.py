"""What the caller knows about one model: the model itself, its settings, limits and price."""

from __future__ import annotations

import msgspec

from compose.config import ModelConfig
from compose.cost import DEFAULT_OUTPUT, estimate_tokens, most_output, price_of, worst_case
from compose.errors import ConfigError
from compose.models.call.limits import Pace, Slots
from compose.models.model import Model
from compose.types import Params, Price, Request, Response

_replace = msgspec.structs.replace
_NO_PARAMS = Params()


class Target:
    """One model as it is called; made once per id and caller."""

    def __init__(self, id: str, model: Model, settings: ModelConfig, *, slots: Slots, timeout: float) -> None:
        self.id = id
        self.model = model
        self.price: Price | None = settings.price or model.price
        self.timeout = settings.timeout or timeout
        self.fallbacks = settings.fallbacks
        self.identity: str = getattr(model, "identity", "") or settings.base_url or ""
        self._defaults = settings.params
        self._slots = slots
        at_once: int | None = settings.concurrency or getattr(model, "concurrency", None)
        self._own_slots = Slots(at_once) if at_once else None
        self._requests = Pace(settings.rpm) if settings.rpm else None
        self._tokens = Pace(settings.tpm) if settings.tpm else None

    def request(self, asked: Request) -> Request:
        """The request as this model gets it: its own id, and defaults for what is not set."""
        params = asked.params
        if self._defaults != _NO_PARAMS:
            set_here = {f: v for f in params.__struct_fields__ if (v := getattr(params, f)) != getattr(_NO_PARAMS, f)}
            params = _replace(self._defaults, **set_here)
        if params is asked.params and asked.model == self.model.id:
            return asked
        return Request(self.model.id, asked.messages, params, asked.sample)

    def capped(self, request: Request) -> Request:
        """The request with a limit on its answer where nothing else limits it, so that its cost is bounded."""
        if most_output(request, self.model.abilities) is not None or not (self.price and self.price.output):
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
        """The response with its list price, where it has none yet and the price is known."""
        if response.usd is not None or self.price is None:
            return response
        return _replace(response, usd=price_of(response.usage, self.price))

    async def start(self, request: Request) -> None:
        """Wait for the model's rate, then for a place among the calls in flight; pair with `end`."""
        if self._requests is not None:
            await self._requests.wait()
        if self._tokens is not None:
            await self._tokens.wait(estimate_tokens(request.messages) + (request.params.max_tokens or 0))
        if self._own_slots is not None:
            await self._own_slots.acquire()
        try:
            await self._slots.acquire()
        except BaseException:
            if self._own_slots is not None:
                self._own_slots.release()
            raise

    def end(self) -> None:
        """Give the place back."""
        self._slots.release()
        if self._own_slots is not None:
            self._own_slots.release()
