"""GGUF models in this process: `tiny/NAME`, `local/NAME`, `local/PATH.gguf`, by llama.cpp.

One engine per model file and process, shared by every id that names it; requests
run side by side in its slots (continuous batching). Nothing is loaded before the
first call. The price is notional, see `notional_price`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from functools import cached_property
from pathlib import Path

from compose.config import Config
from compose.models.model import Abilities, Delta, Price
from compose.models.providers import chat
from compose.models.providers.engine import SLOT_CONTEXT, SLOTS, Engine, acquire, release
from compose.models.providers.refuse import refuse
from compose.models.providers.sse import Assembler
from compose.models.weights import find_weights, identity, notional_price
from compose.types import Request, Response

MAX_TOKENS = 512
"""Length of an answer where the request sets none: small models may never stop by themselves."""

ABILITIES = Abilities(
    tools=True, response_format=True, logprobs=True, grammar=True, context=SLOT_CONTEXT, max_output=SLOT_CONTEXT
)


class Local:
    """One model file, run by llama.cpp.

    The same request and sample give the same text; the seed of a sample comes
    from the request's seed, or from the request itself, and the sample's index.
    Raises `ContextOverflow` where the prompt does not fit a slot.
    """

    kind = "local"
    stored = False
    abilities = ABILITIES
    concurrency = SLOTS
    """Calls that run at once; a caller that sends no more keeps waiting for a slot out of its time limit."""

    def __init__(self, id: str, path: Path, price: Price | None) -> None:
        self.id = id
        self.path = path
        self.price = price
        self._engine: Engine | None = None

    @cached_property
    def identity(self) -> str:
        """Goes into cache keys, so that another file of the same name is another model."""
        return identity(self.path)

    @classmethod
    def make(cls, id: str, config: Config, data: Path | None) -> Local:
        """The model of an id; `ConfigError` where its weights are not at hand."""
        path = find_weights(id)
        entry = config.models.get(id)
        return cls(id, path, entry.price if entry and entry.price else notional_price(path))

    async def complete(self, request: Request) -> Response:
        """One sample, off the event loop; cancelling stops the engine at the next token."""
        whole, start = Assembler(request, self.id), time.perf_counter()
        await self._run(request, whole.add)
        return whole.response(self.price, time.perf_counter() - start)

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """One sample, token by token; the last delta carries the response."""
        whole, start = Assembler(request, self.id), time.perf_counter()
        loop, texts = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def take(chunk: chat.Completion) -> None:
            loop.call_soon_threadsafe(texts.put_nowait, whole.add(chunk))

        def end(done: asyncio.Task[None]) -> None:
            texts.put_nowait(None)
            if not done.cancelled():
                done.exception()  # seen here, so that a stream that was left early leaves no complaint

        task = asyncio.create_task(self._run(request, take))
        task.add_done_callback(end)
        try:
            while (text := await texts.get()) is not None:
                if text:
                    yield Delta(text)
            await task
        finally:
            task.cancel()
            await asyncio.wait((task,))
        yield Delta(response=whole.response(self.price, time.perf_counter() - start))

    async def _run(self, request: Request, take: Callable[[chat.Completion], object]) -> None:
        refuse(request, self.abilities, self.id)
        if self._engine is None:
            self._engine = acquire(self.path)
        await self._engine.run(_body(request), take, self.id)

    async def aclose(self) -> None:
        """Let go of the engine; its memory is freed when the last model lets go."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await release(engine)


def _body(request: Request) -> str:
    out = chat.body(request, "local", stream=True)
    out.setdefault("max_tokens", MAX_TOKENS)
    out["seed"] = seed_of(request)
    return chat.encode(out).decode()


def seed_of(request: Request) -> int:
    """The seed of one sample: of its messages, settings (a seed among them) and index, not of the model's name."""
    same = chat.encode((request.messages, request.params, request.sample))
    return int.from_bytes(hashlib.blake2b(same, digest_size=4).digest()) >> 1
