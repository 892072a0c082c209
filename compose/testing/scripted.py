"""A model in memory whose answers and failures are given beforehand, for tests of what calls models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from compose.cost import price_of
from compose.models.model import Abilities, Delta
from compose.models.providers.refuse import refuse
from compose.types import Price, Request, Response, Usage

Step = str | Response | Exception

_USAGE = Usage(10, 10)
_ABILITIES = Abilities()


class ScriptedModel:
    """Answers each request with the next step of its script, then with `answer(request)`.

    A step is a text, a response or an error to raise. `latency` is in seconds.
    `requests` holds what arrived, `in_flight` and `most` count calls at once,
    `cancelled` those that were given up.

        model = ScriptedModel(script=[RateLimited("slow down", model="m"), "fine"])
    """

    def __init__(
        self,
        id: str = "m",
        *,
        script: Iterable[Step] = (),
        answer: Callable[[Request], Step] = lambda request: f"answer {request.sample}",
        latency: float = 0.0,
        price: Price | None = None,
        usage: Usage = _USAGE,
        abilities: Abilities = _ABILITIES,
        stored: bool = False,
    ) -> None:
        self.id = id
        self.kind = "scripted"
        self.price = price
        self.abilities = abilities
        self.stored = stored
        self.script = list(script)
        self.answer = answer
        self.latency = latency
        self.usage = usage
        self.requests: list[Request] = []
        self.in_flight = self.most = self.cancelled = 0
        self.closed = False

    async def complete(self, request: Request) -> Response:
        """The next step of the script, after `latency` seconds."""
        refuse(request, self.abilities, self.id)
        self.requests.append(request)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1
        step = self.script.pop(0) if self.script else self.answer(request)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Response):
            return step
        usd = price_of(self.usage, self.price)
        return Response(step, self.id, self.usage, usd, self.latency, "stop")

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """The same answer, word by word."""
        response = await self.complete(request)
        for i, word in enumerate(response.text.split(" ")):
            yield Delta(f" {word}" if i else word)
        yield Delta(response=response)

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.closed = True
