"""What a record says: whose answers, drawn with which settings, and what they cost in tokens."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from compose.cost import estimate_answer
from compose.models.recorded.rows import Record
from compose.types import Json, Params, Response, Usage

Settings = dict[bytes, dict[int, "Answer"]]
"""The samples of one prompt by the settings that they were drawn with, see `settings_of`."""
_DEFAULT = b"{}"


class Answer(msgspec.Struct, gc=False):
    """One recorded sample; `text` is `None` where the recorded call had failed."""

    text: str | None
    usage: Usage
    seconds: float = 0.0
    finish_reason: str | None = None
    tool_calls: list[Json] | None = None
    logprobs: list[Json] | None = None
    reasoning: str | None = None


def settings_of(params: Params | None) -> bytes:
    """What settings are found by: as sorted JSON, numbers in the form that their field has."""
    if params is None:
        return _DEFAULT
    same = msgspec.json.decode(msgspec.json.encode(params), type=Params)
    return msgspec.json.encode(same, order="sorted")


def name_of(record: Record) -> str:
    """The name of a record's model within its set."""
    parts = [record.model]
    if record.method:
        parts.append(record.method)
    if record.run and record.run != "default":
        parts.append(record.run)
    return "/".join(parts)


def single(record: Record, asked_tokens: int) -> Answer:
    """The sample that a record holds; tokens that it does not count are estimated."""
    answer = Answer(
        record.output,
        record.usage or Usage(),
        record.seconds,
        record.finish_reason,
        record.tool_calls,
        record.logprobs,
        record.reasoning,
    )
    if record.usage is None:
        counted = record.completion_tokens if isinstance(record.completion_tokens, int) else None
        answer.usage = _usage(answer, record.prompt_tokens, counted, asked_tokens)
    return answer


def _usage(answer: Answer, prompt: int | None, completion: int | None, asked_tokens: int) -> Usage:
    said = Response(answer.text or "", "", tool_calls=answer.tool_calls, reasoning=answer.reasoning)
    counts = (prompt or asked_tokens, completion or estimate_answer(said))
    return Usage(*counts, estimated=counts != (prompt, completion))


def several(record: Record, prompt_tokens: int) -> Iterator[Answer]:
    """All samples of one call: they share its prompt, so all but the first read it from the cache.

    Every text ends with the recorded answer; a sample without one (a program that failed) has none.
    """
    tokens = record.completion_tokens if isinstance(record.completion_tokens, list) else []
    answers = record.answers or []
    for i in range(max(len(tokens), len(answers))):
        found = answers[i] if i < len(answers) else None
        text = record.first_output or "" if i == 0 else ""
        if found is not None:
            text = f"{text}\n\nAnswer: {_plain(found)}".strip()
        counted = tokens[i] if i < len(tokens) else None
        completion = counted or estimate_answer(Response(text, ""))
        cached = prompt_tokens if i else 0
        yield Answer(text, Usage(prompt_tokens, completion, 0, cached, estimated=completion != counted))


def _plain(answer: float | str) -> str:
    return str(int(answer)) if isinstance(answer, float) and answer.is_integer() else str(answer)
