"""Server-sent events in, a whole response out; forgiving where servers differ."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import msgspec

from compose.errors import BadResponse
from compose.models.model import Price
from compose.models.providers import chat
from compose.models.providers.status import error_in
from compose.types import Json, Request, Response

MAX_EVENT = 8 << 20
"""Bytes of one event: a server may send a whole answer of 128,000 tokens, logprobs left out, in one."""


async def events(chunks: AsyncIterable[bytes], model: str) -> AsyncIterator[bytes]:
    """The data of each event up to `[DONE]` or the end.

    Comments, other fields, CRLF and events cut at any byte are taken as the
    standard says; an event of several data lines is joined. Raises `BadResponse`
    for a line or an event that does not end.
    """
    lines = _Lines()
    data: list[bytes] = []
    size = 0
    async for chunk in chunks:
        for line in lines.cut(chunk):
            if line.startswith(b"data:"):
                data.append(line[5:].strip())
                size += len(line)
            elif not line and data:
                if (event := b"\n".join(data)) == b"[DONE]":
                    return
                yield event
                data, size = [], 0
        if size + lines.open > MAX_EVENT:
            raise BadResponse(f"a piece of the stream is longer than {MAX_EVENT >> 20} MB", model=model)
    for line in lines.cut(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[5:].strip())
    if data and (event := b"\n".join(data)) != b"[DONE]":
        yield event


class _Lines:
    """Cuts a stream into lines, and looks at each byte once; `open` is the bytes of the line without an end."""

    def __init__(self) -> None:
        self.open = 0
        self._pieces: list[bytes] = []

    def cut(self, chunk: bytes) -> list[bytes]:
        """The lines that a chunk ends, without their ends."""
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._pieces, lines[0]))
            self.open, self._pieces = 0, []
        self.open += len(rest)
        self._pieces.append(rest)
        return [line.rstrip(b"\r") for line in lines]


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolPiece(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class Assembler:
    """Collects the pieces of one streamed answer."""

    def __init__(self, request: Request, model: str) -> None:
        self.model = model
        self._request = request
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._tools: dict[int, Json] = {}
        self._logprobs: list[Json] = []
        self._usage: Any = None
        self._finish: str | None = None

    def add(self, chunk: chat.Completion) -> str:
        """Take one chunk; returns its text. Raises what an error in the stream means."""
        if chunk.error is not None:
            raise error_in(chunk.error, self.model)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self._finish = choice.finish_reason or self._finish
        if choice.logprobs and choice.logprobs.content:
            self._logprobs += choice.logprobs.content
        said = choice.delta or choice.message
        if said is None:
            return ""
        if thought := said.reasoning_content or said.reasoning:
            self._reasoning.append(thought)
        for piece in said.tool_calls or ():
            self._add_tool(piece)
        text = chat.text_of(said)
        self._text.append(text)
        return text

    def _add_tool(self, found: Json) -> None:
        try:
            piece = msgspec.convert(found, _ToolPiece)
        except msgspec.ValidationError as error:
            raise BadResponse(f"the answer holds no tool call: {error}", model=self.model) from error
        call = self._tools.setdefault(piece.index or 0, {"type": "function", "function": {}})
        if piece.id:
            call["id"] = piece.id
        function = piece.function or _Function()
        if function.name:
            call["function"]["name"] = function.name
        call["function"]["arguments"] = call["function"].get("arguments", "") + (function.arguments or "")

    def response(self, price: Price | None, seconds: float) -> Response:
        """The whole answer; `BadResponse` where the stream broke off before its end."""
        if self._finish is None:
            raise BadResponse("the stream broke off before the answer was finished", model=self.model)
        response = Response(
            "".join(self._text),
            self.model,
            seconds=seconds,
            finish_reason=self._finish,
            tool_calls=[self._tools[i] for i in sorted(self._tools)] or None,
            logprobs=self._logprobs or None,
            reasoning="".join(self._reasoning) or None,
        )
        return chat.counted(response, self._usage, self._request, price)
