"""The values that travel through the house: immutable, typed, cheap to copy.

A `Message` is what a model reads, a `Response` what it gave back, a `Candidate`
an answer under way, a `State` all that is known about one question.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

Json = dict[str, Any]
Part = dict[str, Any]
"""A content part in OpenAI's form: `{"type": "text", "text": …}`, `image_url`, `input_audio`…"""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of a conversation, in OpenAI's form.

    >>> Message("user", "hi").text
    'hi'
    """

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[Json] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The text of the message, its text parts joined, other parts left out."""
        if isinstance(self.content, str):
            return self.content
        return "".join(str(p.get("text", "")) for p in self.content or () if p.get("type") == "text")


def changed(settings: msgspec.Struct) -> dict[str, Any]:
    """The fields that differ from their default, for structs whose fields all have one."""
    default = type(settings)()
    return {f: v for f in settings.__struct_fields__ if (v := getattr(settings, f)) != getattr(default, f)}


class Params(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Sampling settings and structured output; `None` leaves the provider's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    effort: str | None = None
    """Reasoning effort, for models that have one."""
    response_format: Json | None = None
    tools: tuple[Json, ...] = ()
    tool_choice: str | Json | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    grammar: str | None = None
    """A GBNF grammar, for local models."""

    def over(self, below: Params) -> Params:
        """These settings, and those of `below` where they are left open.

        >>> joined = Params(temperature=0.0).over(Params(temperature=1.0, max_tokens=9))
        >>> joined.temperature, joined.max_tokens
        (0.0, 9)
        """
        return msgspec.structs.replace(below, **changed(self))


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one sample of one model is asked for.

    `sample` is the index of the draw: the same request with another index is
    another draw, and both are kept apart in the cache.
    """

    model: str
    messages: tuple[Message, ...]
    params: Params = Params()
    sample: int = 0


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one call as the provider reported them.

    `completion_tokens` includes `reasoning_tokens` (hidden), `prompt_tokens`
    includes `cached_tokens` (read from the provider's prompt cache) and
    `cache_write_tokens`. `estimated` marks counts that nobody reported.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.estimated or other.estimated,
        )


class Price(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """List price in USD per million tokens, and where and when it was read.

    A part that is `None` is unknown; a call that needs it has an unknown price.
    `cached` and `cache_write` default to the price of input. `reasoning` tokens
    are billed as output. `batch` is the factor for batched calls. Raises
    `ValueError` for an amount that is negative or not finite.
    """

    input: float | None = None
    output: float | None = None
    cached: float | None = None
    cache_write: float | None = None
    batch: float = 1.0
    per_call: float = 0.0
    source: str = ""
    date: str | None = None

    def __post_init__(self) -> None:
        for part in ("input", "output", "cached", "cache_write", "batch", "per_call"):
            amount: float | None = getattr(self, part)
            if amount is not None and not 0 <= amount < math.inf:
                raise ValueError(f"{part} is {amount}, not a finite amount of at least 0")


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sample of one model.

    `usd` is its list price, `None` where the price is unknown. `model` is the
    id that answered, which after a fallback is not the id that was asked.
    """

    text: str
    model: str
    usage: Usage = Usage()
    usd: float | None = None
    seconds: float = 0.0
    finish_reason: str | None = None
    tool_calls: list[Json] | None = None
    logprobs: list[Json] | None = None
    """Per token, `{"token", "logprob", "top_logprobs"}` as OpenAI gives them."""
    reasoning: str | None = None
    cached: bool = False


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a guard, a monitor or a verifier thinks of a text; `score` in 0..1."""

    flagged: bool
    score: float
    category: str | None = None
    reasons: tuple[str, ...] = ()
    tier: str | None = None
    ms: float | None = None
    risk_so_far: float | None = None
    evidence: tuple[str, ...] = ()


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer under way; what belongs to it stays with it.

    `parents` are the texts' models it was made from (fusion), `verdict` is a
    verifier's: True passed, False failed, None not looked at.
    """

    text: str
    model: str = ""
    answer: str | None = None
    critique: str | None = None
    score: float | None = None
    verdict: bool | None = None
    logprobs: list[Json] | None = None
    tool_calls: list[Json] | None = None
    parents: tuple[str, ...] = ()

    @classmethod
    def of(cls, response: Response) -> Candidate:
        """The candidate that a response is."""
        return cls(response.text, response.model, logprobs=response.logprobs, tool_calls=response.tool_calls)

    def but(self, **changes: Any) -> Candidate:
        """A copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that is known about one question: the conversation, candidates, tests, facts.

    >>> State.ask("2 + 2?").question
    '2 + 2?'
    """

    messages: tuple[Message, ...]
    candidates: tuple[Candidate, ...] = ()
    tests: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @classmethod
    def ask(cls, question: str | Message | Sequence[Message | Json]) -> State:
        """The state before anything ran, from a text or a conversation."""
        if isinstance(question, str):
            return cls((Message("user", question),))
        if isinstance(question, Message):
            return cls((question,))
        return cls(tuple(m if isinstance(m, Message) else msgspec.convert(m, Message) for m in question))

    @property
    def question(self) -> str:
        """The text of the last user message."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def best(self) -> Candidate | None:
        """The first candidate: steps that order candidates put the best one first."""
        return self.candidates[0] if self.candidates else None

    def keep(self, *candidates: Candidate) -> State:
        """This state with just these candidates, in this order."""
        return msgspec.structs.replace(self, candidates=candidates)

    def but(self, **changes: Any) -> State:
        """A copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)

    @staticmethod
    def merge(states: Iterable[State]) -> State:
        """Join what several parents produced, candidates in the parents' order."""
        first, *rest = states
        if not rest:
            return first
        every = (first, *rest)
        return State(
            first.messages,
            tuple(c for s in every for c in s.candidates),
            tuple(dict.fromkeys(t for s in every for t in s.tests)),
            tuple(dict.fromkeys(f for s in every for f in s.facts)),
        )


class Range(msgspec.Struct, frozen=True):
    """A count or an amount before it is known: least, expected, most.

    >>> Range.exactly(3) + Range(0, 1, 2)
    Range(low=3, expected=4, high=5)
    """

    low: float
    expected: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Range:
        """A range of one value."""
        return cls(value, value, value)

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def __mul__(self, by: float) -> Range:
        return Range(self.low * by, self.expected * by, self.high * by)
