"""Any OpenAI-style server: `http://host:port/v1#model`, through one shared aiohttp session.

N samples are N requests, since many servers ignore `n` without a word. A key
is sent only to a server that a trusted `compose.toml` names together with the
environment variable that holds it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from compose.config import Config
from compose.errors import AuthError, BadResponse, CallTimeout, ConfigError, Unreachable
from compose.models.model import Abilities, Delta, Price
from compose.models.providers import bounded, chat, session
from compose.models.providers.refuse import refuse
from compose.models.providers.sse import Assembler, events
from compose.models.providers.status import error_for
from compose.types import Request, Response

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

ABILITIES = Abilities(
    images=True, audio=True, tools=True, response_format=True, logprobs=True, effort=True, grammar=True
)
"""A server says itself what it does not take."""


class Http:
    """One model of one OpenAI-style server.

    Raises, from `complete` and `stream`: `AuthError` (401, 403), `RateLimited`
    (429), `CallTimeout` (408), `ServerError` (5xx), `ContextOverflow`,
    `ModelError` (other 4xx), `BadResponse` (half a body, one without end, invalid
    JSON, no choices), `Unreachable` (no connection).
    """

    kind = "http"
    stored = False

    def __init__(self, id: str, *, url: str, name: str, price: Price | None = None, key_env: str | None = None) -> None:
        self.id = id
        self.price = price
        self.abilities = ABILITIES
        self._url = url
        self._name = name
        self._key_env = key_env

    @classmethod
    def make(cls, id: str, config: Config, data: Path | None) -> Http:
        """The model of an id `URL#name`; price and key from its entry in `config`."""
        base, hash, name = id.partition("#")
        parts = urlsplit(base)
        if not hash or not name or not parts.hostname:
            raise ConfigError(f"{id!r} names no model of a server", hint="write it as http://host:port/v1#model")
        if parts.username or parts.password:
            raise ConfigError("a server's address must not hold a password", hint="set api_key_env in compose.toml")
        entry = config.models.get(id)
        return cls(
            id,
            url=base.rstrip("/") + "/chat/completions",
            name=name,
            price=entry.price if entry else None,
            key_env=entry.api_key_env if entry else None,
        )

    @cached_property
    def _address(self) -> URL:
        """The parsed address: parsing it anew costs a twelfth of a call."""
        from yarl import URL

        return URL(self._url)

    def _headers(self) -> dict[str, str]:
        if self._key_env is None:
            return {}
        key = os.environ.get(self._key_env)
        if not key:
            raise AuthError(f"the environment variable {self._key_env} is not set", model=self.id)
        return {"Authorization": f"Bearer {key}"}

    async def complete(self, request: Request) -> Response:
        """One POST, one sample."""
        start = time.perf_counter()
        async with self._post(request) as reply:
            raw = await bounded.body(reply, self.id)
        return chat.response_of(chat.decode(raw, self.id), request, self.id, self.price, time.perf_counter() - start)

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """One POST with server-sent events; the last delta carries the response."""
        start = time.perf_counter()
        whole = Assembler(request, self.id)
        async with self._post(request, stream=True) as reply:
            async for event in events(bounded.chunks(reply, self.id), self.id):
                if text := whole.add(chat.decode(event, self.id)):
                    yield Delta(text)
        yield Delta(response=whole.response(self.price, time.perf_counter() - start))

    async def aclose(self) -> None:
        """Give back this model's share of the session; the last one closes it."""
        await session.release(self)

    @asynccontextmanager
    async def _post(self, request: Request, *, stream: bool = False) -> AsyncGenerator[aiohttp.ClientResponse]:
        """The reply to a request; what goes wrong with it, also while it is read, is raised as our error."""
        refuse(request, self.abilities, self.id)
        data = _json(chat.encode(chat.body(request, self._name, stream=stream)))
        http = session.of_loop(self)
        try:
            async with http.post(self._address, data=data, headers=self._headers(), allow_redirects=False) as reply:
                if reply.status != 200:
                    raw = await bounded.start(reply)
                    raise error_for(reply.status, reply.headers, raw, self.id, self._key_env)
                yield reply
        except session.errors() as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> BadResponse | CallTimeout | Unreachable:
        import aiohttp

        if isinstance(error, asyncio.TimeoutError):
            return CallTimeout("no answer in time", model=self.id)
        if isinstance(error, aiohttp.ClientConnectorError):
            return Unreachable(
                f"no connection to {error.host}:{error.port}", model=self.id, hint="is the server running?"
            )
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return BadResponse("the server closed the connection without an answer", model=self.id)
        if isinstance(error, aiohttp.ClientPayloadError):
            return BadResponse("the answer broke off half way", model=self.id)
        return Unreachable(f"the connection failed: {error}", model=self.id)


def _json(body: bytes) -> aiohttp.BytesPayload:
    """A JSON body as aiohttp keeps it, which saves it from finding out what kind of body this is."""
    import aiohttp

    return aiohttp.BytesPayload(body, content_type="application/json")
