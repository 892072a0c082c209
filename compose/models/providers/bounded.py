"""Bodies without end: a server is read up to a bound, and not beyond."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from compose.errors import BadResponse

if TYPE_CHECKING:
    import aiohttp

MAX_BODY = 64 << 20
"""Bytes of one answer, whole or streamed: 128,000 tokens with five logprobs each take about 40 MB."""
MAX_ERROR = 64 << 10
"""Bytes that are read of an error page; what is shown of it is far less."""


async def chunks(reply: aiohttp.ClientResponse, model: str) -> AsyncIterator[bytes]:
    """A body as it arrives; `BadResponse` once it passes `MAX_BODY`."""
    size = 0
    async for chunk in reply.content.iter_any():
        size += len(chunk)
        _within(size, model)
        yield chunk


async def body(reply: aiohttp.ClientResponse, model: str) -> bytes:
    """The whole body; `BadResponse` where it passes `MAX_BODY`."""
    if reply.content_length is not None and "Content-Encoding" not in reply.headers:
        _within(reply.content_length, model)
        return await reply.read()
    return b"".join([chunk async for chunk in chunks(reply, model)])


async def start(reply: aiohttp.ClientResponse) -> bytes:
    """The first `MAX_ERROR` bytes of a body."""
    found = b""
    async for chunk in reply.content.iter_any():
        found += chunk
        if len(found) >= MAX_ERROR:
            break
    return found[:MAX_ERROR]


def _within(size: int, model: str) -> None:
    if size > MAX_BODY:
        raise BadResponse(f"the answer is longer than {MAX_BODY >> 20} MB", model=model)
