"""Hosted models by LiteLLM: `provider/model`, or a bare name that it knows.

LiteLLM takes seconds to import, so that happens in a thread, with the first
call. Its retries, telemetry, chatter and silent dropping of parameters are off.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import warnings
from collections.abc import AsyncIterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from compose.config import Config
from compose.errors import AuthError, UnknownName, missing_extra
from compose.models import prices
from compose.models.model import Delta, Price
from compose.models.providers import chat
from compose.models.providers.litellm_errors import is_theirs, translate
from compose.models.providers.refuse import refuse
from compose.models.providers.sse import Assembler
from compose.types import Json, Request, Response

_TABLES = ("MODEL_COST_MAP", "ANTHROPIC_BETA_HEADERS", "AUTOROUTER_PRESETS", "BLOG_POSTS", "POLICY_TEMPLATES")
"""What LiteLLM would fetch from the network unless it is told to use its own copy."""
_lock = threading.Lock()


class LiteLLM:
    """One hosted model. Price and abilities come from LiteLLM's own table unless `compose.toml` says more."""

    kind = "litellm"
    stored = False

    def __init__(
        self, id: str, *, price: Price | None = None, base_url: str | None = None, key_env: str | None = None
    ) -> None:
        self.id = id
        self.price = price
        self.abilities = prices.abilities(id)
        self._base_url = base_url
        self._key_env = key_env

    @classmethod
    def make(cls, id: str, config: Config, data: Path | None) -> LiteLLM:
        """The model of an id; `ConfigError` where LiteLLM is not installed.

        A bare name must be one that LiteLLM knows: of another it cannot tell whom to ask.
        """
        if find_spec("litellm") is None:
            raise missing_extra("litellm", "litellm", f"model {id}")
        if "/" not in id and id not in prices.table():
            raise UnknownName("model", id, (name for name in prices.table() if "/" not in name))
        entry = config.models.get(id)
        if entry is None:
            return cls(id, price=prices.price(id))
        price = entry.price or prices.price(id)
        return cls(id, price=price, base_url=entry.base_url, key_env=entry.api_key_env)

    async def complete(self, request: Request) -> Response:
        """One call, one sample. LiteLLM's errors come as ours."""
        refuse(request, self.abilities, self.id)
        start = time.perf_counter()
        answer = await self._ask(request, stream=False)
        completion = chat.convert(_plain(answer), self.id)
        return chat.response_of(completion, request, self.id, self.price, time.perf_counter() - start)

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """One call, piece by piece; the last delta carries the response."""
        refuse(request, self.abilities, self.id)
        whole, start = Assembler(request, self.id), time.perf_counter()
        pieces = await self._ask(request, stream=True)
        try:
            async for piece in pieces:
                if text := whole.add(chat.convert(_plain(piece), self.id)):
                    yield Delta(text)
        except Exception as error:
            if not is_theirs(error):
                raise
            raise translate(error, self.id) from error
        finally:
            await pieces.aclose()
        yield Delta(response=whole.response(self.price, time.perf_counter() - start))

    async def aclose(self) -> None:
        """LiteLLM keeps its connections for itself; there is nothing of ours to give back."""

    async def _ask(self, request: Request, *, stream: bool) -> Any:
        settings = self._settings(request, stream=stream)
        library = await asyncio.to_thread(_library)
        try:
            return await library.acompletion(**settings)
        except Exception as error:
            if not is_theirs(error):
                raise
            raise translate(error, self.id) from error

    def _settings(self, request: Request, *, stream: bool) -> Json:
        out = msgspec.to_builtins(chat.body(request, self.id, stream=stream))
        out |= {"num_retries": 0, "max_retries": 0, "drop_params": False}
        if request.params.tools:
            out["_skip_mcp_handler"] = True  # it imports `mcp`, which LiteLLM does not install, for any tool
        if self._base_url:
            out["api_base"] = self._base_url
        if self._key_env:
            out["api_key"] = os.environ.get(self._key_env)
            if not out["api_key"]:
                raise AuthError(f"the environment variable {self._key_env} is not set", model=self.id)
        elif self._base_url:
            out["api_key"] = "none"  # else LiteLLM would send the provider's key to somebody else's server
        return out


def _plain(answer: Any) -> Any:
    return answer.model_dump() if hasattr(answer, "model_dump") else answer


def _library() -> Any:
    """LiteLLM, imported once and made quiet."""
    with _lock:
        return _imported()


@cache
def _imported() -> Any:
    for table in _TABLES:
        os.environ.setdefault(f"LITELLM_LOCAL_{table}", "True")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm
    library: Any = litellm
    library.telemetry = False
    library.suppress_debug_info = True
    library.drop_params = False
    library.num_retries = None
    library.turn_off_message_logging = True
    warnings.filterwarnings("ignore", "Item .* on TypedDict class", UserWarning)  # its own schemas, at first use
    return library
