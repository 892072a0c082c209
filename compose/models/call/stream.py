"""Answers piece by piece, through the same links as whole ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from compose.cost import estimate_tokens
from compose.errors import BadResponse
from compose.models.call.chain import Chain, late
from compose.models.call.flights import Flight, Record
from compose.models.call.retry import retrying
from compose.models.call.target import Target
from compose.models.model import Delta
from compose.types import Request, Response, Usage


async def streamed(chain: Chain, target: Target, request: Request, record: Record) -> AsyncGenerator[Delta]:
    """One sample of one target; the last delta carries the response.

    A stored answer, and one that somebody else is being given already, comes in
    one piece. A stream that is left early, or breaks off, after pieces came is
    recorded with an estimate of what they cost, unless others wait for its end.
    """
    asked, key = chain.prepared(target, request)
    if target.model.stored or chain.cache.find(key) is not None:
        response = await chain.answer(target, request, record)
        yield Delta(response.text)
        yield Delta(response=response)
        return
    flow = _Flow(chain, target, asked, key)
    task = asyncio.create_task(chain.shared(target, key, flow.run, record))
    task.add_done_callback(flow.end)
    try:
        while (delta := await flow.pieces.get()) is not None:
            yield delta
    finally:
        task.cancel()
        await asyncio.wait((task,))
    response = await task
    if not flow.began:
        yield Delta(response.text)
    yield Delta(flow.last, response)


class _Flow:
    """A streamed call under way: `pieces` as they come, then `None`."""

    def __init__(self, chain: Chain, target: Target, request: Request, key: bytes) -> None:
        self.pieces: asyncio.Queue[Delta | None] = asyncio.Queue()
        self.began = False
        self.last = ""
        """The text beside the response."""
        self._chain = chain
        self._target = target
        self._request = request
        self._key = key
        self._text: list[str] = []
        self._start = time.perf_counter()

    def end(self, task: asyncio.Task[Response]) -> None:
        """No more pieces come."""
        self.pieces.put_nowait(None)

    async def run(self, flight: Flight) -> Response:
        """Budget, then the pieces; durable before the whole is given out."""
        most = await self._chain.reserve(self._target, self._request)
        try:
            flight.made = response = await self._whole()
            await self._chain.keep(self._target, self._key, response)
            return response
        finally:
            if flight.made is None and self.began:
                flight.made = self._unfinished()
            self._chain.settle(most, flight.made)

    async def _whole(self) -> Response:
        """The pieces, and the response at their end; it still holds its place."""
        stream, delta = await retrying(self._opened, self._chain.retries)
        try:
            async with aclosing(stream):
                while delta.response is None:
                    self.began = True
                    self._text.append(delta.text)
                    self.pieces.put_nowait(delta)
                    delta = await self._piece(stream)
        except BaseException:
            self._target.end()
            raise
        self.last = delta.text
        self.began = self.began or bool(delta.text)
        return self._chain.finished(self._target, delta.response, time.perf_counter() - self._start)

    async def _opened(self) -> tuple[AsyncGenerator[Delta], Delta]:
        """An attempt: a failure before the first piece can be tried again."""
        await self._target.start(self._request)
        self._start = time.perf_counter()
        stream = _closable(self._target.model.stream(self._request))
        try:
            self._chain.budget.check()
            return stream, await self._piece(stream)
        except BaseException:
            self._target.end()
            await stream.aclose()
            raise

    async def _piece(self, stream: AsyncIterator[Delta]) -> Delta:
        try:
            async with asyncio.timeout(self._target.timeout):
                return await anext(stream)
        except TimeoutError as error:
            raise late(self._target) from error
        except StopAsyncIteration as error:
            raise BadResponse("the stream ended without an answer", model=self._target.id) from error

    def _unfinished(self) -> Response:
        text = "".join(self._text)
        usage = Usage(estimate_tokens(self._request.messages), estimate_tokens(text), estimated=True)
        response = Response(text, self._target.model.id, usage)
        return self._chain.finished(self._target, response, time.perf_counter() - self._start)


async def _closable(pieces: AsyncIterator[Delta]) -> AsyncGenerator[Delta]:
    """A stream that can be closed, whatever kind of iterator the model gives."""
    try:
        async for piece in pieces:
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
