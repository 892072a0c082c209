"""What a call will cost at most, and what it did cost.

Prices are USD per million tokens. What is unknown stays `None`: nothing here
takes a missing price for a price of 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from compose.types import Message, Price, Request, Response, Usage

if TYPE_CHECKING:
    from compose.models.model import Abilities

MILLION = 1_000_000.0
CHARS_PER_TOKEN = 3.6
"""Mean over English prose, code and mathematics with the tokenizers in use; only for estimates."""
MESSAGE_OVERHEAD = 8
"""Tokens that a chat template puts around a message, at most."""
MEDIA_TOKENS = 3000
"""Tokens of an image or audio part, taken high."""
DEFAULT_OUTPUT = 4096
"""Output tokens assumed where neither the request nor the model sets a limit."""


def estimate_tokens(text: str | Sequence[Message]) -> int:
    """About how many tokens a text or a conversation has.

    >>> estimate_tokens("How many weekdays are in March?")
    9
    """
    if isinstance(text, str):
        return math.ceil(len(text) / CHARS_PER_TOKEN)
    return sum(estimate_tokens(m.text) + MESSAGE_OVERHEAD + MEDIA_TOKENS * _media(m) for m in text)


def estimate_answer(response: Response) -> int:
    """About how many tokens an answer has, its reasoning and tool calls included.

    >>> estimate_answer(Response("", "m", reasoning="Seven days less two."))
    6
    """
    calls = msgspec.json.encode(response.tool_calls).decode() if response.tool_calls else ""
    return sum(estimate_tokens(part) for part in (response.text, response.reasoning or "", calls))


def price_of(usage: Usage, price: Price | None) -> float | None:
    """The list price of a call in USD, `None` where a part that it needs is unknown.

    >>> price_of(Usage(1_000_000, 0), Price(input=0.15, output=0.6))
    0.15
    """
    if price is None:
        return None
    read, written = usage.cached_tokens, usage.cache_write_tokens
    parts = (
        (usage.prompt_tokens - read - written, price.input),
        (read, price.input if price.cached is None else price.cached),
        (written, price.input if price.cache_write is None else price.cache_write),
        (usage.completion_tokens, price.output),
    )
    total = 0.0
    for tokens, rate in parts:
        if tokens <= 0:
            continue
        if rate is None:
            return None
        total += tokens * rate
    return total * price.batch / MILLION + price.per_call


def most_output(request: Request, abilities: Abilities) -> int | None:
    """The most tokens that an answer can have; `None` where nothing limits it."""
    limits = [n for n in (request.params.max_tokens, abilities.max_output, abilities.context) if n is not None]
    return min(limits) if limits else None


def worst_case(request: Request, price: Price | None, abilities: Abilities) -> float | None:
    """The most that one sample can cost in USD, `None` where the price is unknown.

    A byte-level tokenizer makes at most one token of a byte, so the prompt is
    counted in bytes; nothing is taken for read from a prompt cache.
    """
    if price is None or price.input is None or price.output is None:
        return None
    dearest_input = max(price.input, price.cache_write or 0.0)
    output = most_output(request, abilities)
    tokens = DEFAULT_OUTPUT if output is None else output
    return (_most_input(request) * dearest_input + tokens * price.output) / MILLION + price.per_call


def _most_input(request: Request) -> int:
    params = request.params
    count = sum(_most_of(m) for m in request.messages)
    for extra in (params.tools, params.response_format):
        count += len(msgspec.json.encode(extra)) if extra else 0
    return count


def _most_of(message: Message) -> int:
    calls = len(msgspec.json.encode(message.tool_calls)) if message.tool_calls else 0
    text = message.text
    size = len(text) if text.isascii() else len(text.encode())
    return size + calls + MESSAGE_OVERHEAD + MEDIA_TOKENS * _media(message)


def _media(message: Message) -> int:
    if message.content is None or isinstance(message.content, str):
        return 0
    return sum(part.get("type") != "text" for part in message.content)
