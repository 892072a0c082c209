"""What a model is to the rest of the house: something that completes a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

import msgspec

from compose.types import Price, Request, Response

__all__ = ["Abilities", "Delta", "Model", "Price"]


class Abilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes and gives; what it does not take is refused by name."""

    images: bool = False
    audio: bool = False
    tools: bool = False
    response_format: bool = False
    logprobs: bool = False
    temperature: bool = True
    effort: bool = False
    grammar: bool = False
    context: int | None = None
    max_output: int | None = None


class Delta(msgspec.Struct, frozen=True):
    """A piece of an answer as it arrives; the last one carries the whole response."""

    text: str = ""
    response: Response | None = None


@runtime_checkable
class Model(Protocol):
    """One model at one provider. Stateless for its callers; made once per id.

    `complete` makes exactly one attempt at one sample and raises a `ModelError`
    when it fails: retries, limits, caching and prices are the `Caller`'s. It
    honours cancellation by closing its connection.
    """

    id: str
    kind: str
    """local, http, litellm, replay, pipeline or router."""
    price: Price | None
    abilities: Abilities
    stored: bool
    """True where answers already lie on disk (recordings), so no cache keeps them again."""

    async def complete(self, request: Request) -> Response:
        """Answer a request, or raise a `ModelError`."""
        ...

    def stream(self, request: Request) -> AsyncIterator[Delta]:
        """Answer a request piece by piece; the last delta carries the response."""
        ...

    async def aclose(self) -> None:
        """Give back connections, threads and memory."""
        ...
