"""OpenAI's chat form, which servers, llama.cpp and LiteLLM share: a request out, an answer back."""

from __future__ import annotations

from typing import Any

import msgspec

from compose.cost import estimate_answer, estimate_tokens, price_of
from compose.errors import BadResponse
from compose.models.model import Price
from compose.models.providers.status import error_in
from compose.types import Json, Request, Response, Usage


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    cache_creation_input_tokens: int | None = None


class _Logprobs(msgspec.Struct):
    content: list[Json] | None = None


class _Said(msgspec.Struct):
    content: str | list[Json] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Json] | None = None


class _Choice(msgspec.Struct):
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class Completion(msgspec.Struct):
    """An answer, or a piece of one, as a server sends it; fields we do not use are skipped."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(Completion).decode
encode = msgspec.json.Encoder().encode


def body(request: Request, name: str, *, stream: bool = False) -> Json:
    """The JSON object that asks model `name` for one sample."""
    p = request.params
    out: Json = {"model": name, "messages": request.messages}
    if p.temperature is not None:
        out["temperature"] = p.temperature
    if p.top_p is not None:
        out["top_p"] = p.top_p
    if p.max_tokens is not None:
        out["max_tokens"] = p.max_tokens
    if p.stop:
        out["stop"] = p.stop
    if p.seed is not None:
        out["seed"] = p.seed + request.sample
    if p.effort is not None:
        out["reasoning_effort"] = p.effort
    if p.response_format is not None:
        out["response_format"] = p.response_format
    if p.tools:
        out["tools"] = p.tools
    if p.tool_choice is not None:
        out["tool_choice"] = p.tool_choice
    if p.logprobs or p.top_logprobs:
        out["logprobs"] = True
        out["top_logprobs"] = p.top_logprobs or 1  # with 0, llama.cpp gives none at all
    if p.grammar is not None:
        out["grammar"] = p.grammar
    if stream:
        out["stream"] = True
        out["stream_options"] = {"include_usage": True}
    return out


def decode(data: bytes | str, model: str) -> Completion:
    """Read a completion or a chunk; `BadResponse` where it is not one."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadResponse(f"the answer is not a completion: {error}", model=model) from error


def convert(data: Any, model: str) -> Completion:
    """Like `decode`, from objects."""
    try:
        return msgspec.convert(data, Completion)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadResponse(f"the answer is not a completion: {error}", model=model) from error


def response_of(completion: Completion, request: Request, model: str, price: Price | None, seconds: float) -> Response:
    """The response that a whole completion is.

    Raises `BadResponse` where it holds no choice, and what an error means that
    it holds in place of an answer.
    """
    if completion.error is not None:
        raise error_in(completion.error, model)
    if not completion.choices or (said := completion.choices[0].message) is None:
        raise BadResponse("the answer holds no choices", model=model)
    choice = completion.choices[0]
    response = Response(
        text_of(said),
        model,
        seconds=seconds,
        finish_reason=choice.finish_reason,
        tool_calls=said.tool_calls or None,
        logprobs=choice.logprobs.content if choice.logprobs else None,
        reasoning=said.reasoning_content or said.reasoning,
    )
    return counted(response, completion.usage, request, price)


def text_of(said: _Said) -> str:
    """The text of a message whose content is a text, parts, or nothing but a refusal."""
    content = said.content
    if isinstance(content, str):
        return content or said.refusal or ""
    if content:
        return "".join(str(part.get("text") or "") for part in content)
    return said.refusal or ""


MOST_TOKENS = 1 << 30
"""Of one call; a report of more is an error of whoever reports it."""


def _sane(count: int | None) -> int:
    return count if count is not None and 0 < count <= MOST_TOKENS else 0


def counted(response: Response, usage: _Usage | None, request: Request, price: Price | None) -> Response:
    """The response with its tokens and dollars: as reported, and estimated where nobody reported them.

    No prompt and no answer that says something has 0 tokens, so a report of 0 is
    none, as is one below 0 or beyond all reason.
    """
    usage = usage or _Usage()
    read, wrote = usage.prompt_tokens_details, usage.completion_tokens_details
    prompt = _sane(usage.prompt_tokens) or estimate_tokens(request.messages)
    completion = _sane(usage.completion_tokens) or estimate_answer(response)
    counts = Usage(
        prompt,
        completion,
        _sane(wrote.reasoning_tokens if wrote else 0),
        _sane(read.cached_tokens if read else 0),
        _sane(read.cache_write_tokens if read else 0) or _sane(usage.cache_creation_input_tokens),
        estimated=(prompt, completion) != (usage.prompt_tokens, usage.completion_tokens),
    )
    return msgspec.structs.replace(response, usage=counts, usd=price_of(counts, price))
