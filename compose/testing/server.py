"""A loopback OpenAI-style server that answers well, and misbehaves on request.

async with FakeServer(script=[Reply(status=429, retry_after="0.1"), "fine"]) as server:
    model = resolve(server.id("m"), Config())
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from compose.types import Json

if TYPE_CHECKING:
    from aiohttp import web

Fault = Literal["half", "invalid", "empty", "hang", "close"]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One scripted answer.

    `fault`: `half` a body, `invalid` JSON, `empty` choices, `hang` without an
    answer, `close` the connection. `message` replaces the whole message object,
    `body` the whole body, `raw` the bytes of a stream.
    """

    text: str = "ok"
    status: int = 200
    retry_after: str | None = None
    error: str = "as scripted"
    fault: Fault | None = None
    latency: float | None = None
    message: Json | None = None
    usage: Json | None = None
    finish_reason: str = "stop"
    body: Any = None
    raw: bytes | None = None


class Logged(msgspec.Struct, frozen=True):
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: Json


class FakeServer:
    """An OpenAI-style server on 127.0.0.1, `async with`.

    `script` is consumed one reply per request, then `answer` (by default a
    fixed text) replies. `requests` holds what arrived (off with `log=False`),
    `count` how many, `cancelled` how many clients hung up before the answer,
    `most` the most requests in flight at once. It ignores `n`, as many do.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        script: Sequence[Reply | str] = (),
        answer: Callable[[Json], Reply | str] | None = None,
        log: bool = True,
        path: str = "/v1",
    ) -> None:
        self.latency = latency
        self.script = [Reply(text=r) if isinstance(r, str) else r for r in script]
        self.requests: list[Logged] = []
        self.count = self.cancelled = self.in_flight = self.most = 0
        self.port = 0
        self._answer = answer
        self._changed = asyncio.Event()
        self._log = log
        self._path = path
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base address, `http://127.0.0.1:PORT/v1`."""
        return f"http://127.0.0.1:{self.port}{self._path}"

    def id(self, name: str = "m") -> str:
        """The id of a model of this server."""
        return f"{self.url}#{name}"

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something about the server to be true; it is looked at whenever a request comes or goes."""
        while not true():
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> Self:
        from aiohttp import web

        app = web.Application(client_max_size=64 << 20)
        app.router.add_post(self._path + "/chat/completions", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        raw = await http.read()
        asked: Json = msgspec.json.decode(raw)
        self.count += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        self._changed.set()
        if self._log:
            self.requests.append(Logged(http.path, dict(http.headers), asked))
        try:
            return await self._reply(http, asked, self._next(asked))
        except (asyncio.CancelledError, ConnectionError):
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1
            self._changed.set()

    def _next(self, asked: Json) -> Reply:
        if self.script:
            return self.script.pop(0)
        made = self._answer(asked) if self._answer else "ok"
        return Reply(text=made) if isinstance(made, str) else made

    async def _reply(self, http: web.Request, asked: Json, reply: Reply) -> web.StreamResponse:
        from aiohttp import web

        latency = self.latency if reply.latency is None else reply.latency
        if latency:
            await asyncio.sleep(latency)
        if reply.fault == "hang":
            await asyncio.Event().wait()
        if reply.fault == "close":
            assert http.transport is not None
            http.transport.abort()
            return web.Response()
        if reply.status != 200:
            return _json(reply.body or {"error": {"message": reply.error}}, reply.status, reply.retry_after)
        if asked.get("stream"):
            return await _stream(http, reply)
        whole = msgspec.json.encode(reply.body if reply.body is not None else _completion(asked, reply))
        if reply.fault == "invalid":
            return web.Response(body=whole[:-5], content_type="application/json")
        if reply.fault == "half":
            return await _half(http, whole)
        return web.Response(body=whole, content_type="application/json")


def _json(body: Any, status: int, retry_after: str | None) -> web.Response:
    from aiohttp import web

    headers = {"Retry-After": retry_after} if retry_after is not None else None
    return web.Response(body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/json")


def _completion(asked: Json, reply: Reply) -> Json:
    message = reply.message or {"role": "assistant", "content": reply.text}
    usage = reply.usage or {"prompt_tokens": _words(asked), "completion_tokens": len(reply.text.split())}
    choices = [] if reply.fault == "empty" else [{"index": 0, "message": message, "finish_reason": reply.finish_reason}]
    return {"id": "c", "object": "chat.completion", "model": asked.get("model"), "choices": choices, "usage": usage}


def _words(asked: Json) -> int:
    return sum(len(str(message.get("content")).split()) for message in asked.get("messages", ()))


async def _half(http: web.Request, whole: bytes) -> web.StreamResponse:
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Length": str(len(whole)), "Content-Type": "application/json"})
    await response.prepare(http)
    await response.write(whole[: len(whole) // 2])
    assert http.transport is not None
    http.transport.close()
    return response


async def _stream(http: web.Request, reply: Reply) -> web.StreamResponse:
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(http)
    pieces = [reply.raw] if reply.raw is not None else _pieces(reply)
    for piece in pieces:
        await response.write(piece)
    if reply.fault == "half" and http.transport is not None:
        http.transport.close()
    return response


def _pieces(reply: Reply) -> list[bytes]:
    words = [w + " " for w in reply.text.split()]
    if words:
        words[-1] = words[-1][:-1]
    chunks: list[Json] = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in words]
    if reply.fault != "half":
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish_reason}]})
        usage = reply.usage or {"prompt_tokens": 1, "completion_tokens": len(words)}
        chunks.append({"choices": [], "usage": usage})
    lines = [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]
    return lines if reply.fault == "half" else [*lines, b"data: [DONE]\n\n"]
