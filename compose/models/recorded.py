"""Reads a recorded set: prompts, the answers of several models, their prices.

The forms that are read: `output` per item and model (one or several samples),
re-reading tables (`read_times`, `method`), and multi-sample cascades
(`answers` of every sample, the text of the first). What the forms differ in
becomes part of the model's name: `gpt-4o-mini/vanilla`, `gpt-4/cot1/t0.8`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from compose.cost import estimate_tokens
from compose.errors import DataError, ModelError
from compose.types import Json, Message, Price, Usage

TWICE = ("{0} \n\nRead the question again: {0}", "{0}\nRead the question again: {0}")
"""How a question that is read twice stands in a prompt: as recorded, and as the paper prints it."""


class Answer(msgspec.Struct, gc=False):
    """One recorded sample; `text` is `None` where the recorded call had failed."""

    text: str | None
    usage: Usage
    seconds: float = 0.0
    finish_reason: str | None = None


class _Item(msgspec.Struct):
    id: str
    prompt: str | None = None
    messages: tuple[Message, ...] | None = None
    instruction: str | None = None
    question: str | None = None
    question_tokens: int = 0

    def conversation(self) -> Key | None:
        """What was asked: one user message as its text, else the messages."""
        if self.messages:
            return key_of(self.messages)
        return next((t for t in (self.prompt, self.instruction, self.question) if t is not None), None)


class _Record(msgspec.Struct):
    id: str
    model: str
    output: str | None = None
    sample: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | list[int] | None = None
    usage: Usage | None = None
    seconds: float = 0.0
    finish_reason: str | None = None
    method: str | None = None
    read_times: int = 1
    run: str | None = None
    task: str | None = None
    answers: list[float | str | None] | None = None
    first_output: str | None = None


class _Listed(msgspec.Struct):
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    price_source: str | None = None
    price: Price | None = None


_T = TypeVar("_T")
Key = str | bytes


def key_of(messages: Sequence[Message]) -> Key:
    """What a conversation is found by: the text of a lone user message, else all of it as JSON."""
    if len(messages) == 1 and (only := messages[0]).role == "user" and _is_text(only):
        return only.text
    return msgspec.json.encode(tuple(messages))


def _is_text(message: Message) -> bool:
    content = message.content
    return isinstance(content, str) or all(part.get("type") == "text" for part in content or ())


class Recorded:
    """One set, read on first use and shared by all its models. Takes about 25 µs a record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name

    @cached_property
    def replayable(self) -> bool:
        """Whether the first lines hold a prompt and an output; tables of marks alone cannot be replayed."""
        item, record = _first(self.folder / "items.jsonl.gz"), self._first_record
        asked = any(item.get(field) is not None for field in ("prompt", "messages", "instruction", "question"))
        return asked and ("output" in record or "first_output" in record)

    @cached_property
    def _first_record(self) -> Json:
        return _first(self.folder / "records.jsonl.gz")

    @cached_property
    def models(self) -> list[str]:
        """The names of the models, in the order of the price list, then of the records."""
        listed = [name for name in self._listed if name in self._answers]
        return [*listed, *(name for name in self._answers if name not in listed)]

    def listing(self) -> list[tuple[str, int | None]]:
        """The models with the most samples that any prompt has; `None` where that takes reading all records."""
        first = self._first_record
        if "method" in first or "sample" in first:
            return [(name, self.samples(name)) for name in self.models]
        return [(name, None) for name in self._listed]

    def price(self, name: str) -> Price | None:
        """The list price of a model, `None` where it is unknown."""
        listed = self._listed.get(name) or self._listed.get(name.partition("/")[0])
        if listed is None:
            return None
        if listed.price is not None:
            return listed.price
        if listed.input_usd_per_mtok is None or listed.output_usd_per_mtok is None:
            return None
        return Price(
            input=listed.input_usd_per_mtok,
            output=listed.output_usd_per_mtok,
            cached=0.0 if self._few_shot else None,
            source=listed.price_source or self.name,
        )

    def samples(self, name: str) -> int:
        """The most samples that any prompt has."""
        return max((len(found) for found in self._answers[name].values()), default=0)

    def answer(self, name: str, messages: Sequence[Message], sample: int, model: str) -> Answer:
        """The recorded sample, or a `ModelError` that says what is not recorded."""
        key = key_of(messages)
        items = self._prompts.get(key)
        table = self._answers[name]
        found = [answers for item in items or () if (answers := table.get(item))]
        if not found:
            raise ModelError(self._missing(messages, known=bool(items)), model=model)
        if len(found) > 1 and any(other != found[0] for other in found[1:]):
            raise ModelError(
                f"prompt {_start(messages)} stands for {len(found)} items with different answers", model=model
            )
        answer = found[0].get(sample)
        if answer is None:
            count = len(found[0])
            raise ModelError(
                f"sample {sample} of prompt {_start(messages)} is not recorded in {self.name}",
                model=model,
                hint=f"{count} {'sample is' if count == 1 else 'samples are'} recorded",
            )
        if answer.text is None:
            raise ModelError(f"the recorded call for prompt {_start(messages)} had failed", model=model)
        return answer

    def _missing(self, messages: Sequence[Message], *, known: bool) -> str:
        start = _start(messages)
        if known:
            return f"no answer to prompt {start} is recorded in {self.name}"
        if len(messages) > 1 and any(m.role == "user" and m.text in self._prompts for m in messages):
            return f"prompt {start} is recorded in {self.name}, but not in this conversation"
        return f"prompt {start} is not recorded in {self.name}"

    @cached_property
    def _prices(self) -> Json:
        path = self.folder / "models.json"
        try:
            found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError as error:
            raise DataError(f"not a price list: {error}", file=str(path)) from error
        return found

    @cached_property
    def _listed(self) -> dict[str, _Listed]:
        prices = {name: entry for name, entry in self._prices.items() if name != "few_shot_prompt_tokens"}
        try:
            return msgspec.convert(prices, dict[str, _Listed])
        except msgspec.ValidationError as error:
            raise DataError(f"not a price list: {error}", file=str(self.folder / "models.json")) from error

    @property
    def _few_shot(self) -> dict[str, int]:
        return self._prices.get("few_shot_prompt_tokens") or {}

    @cached_property
    def _items(self) -> dict[str, _Item]:
        return {item.id: item for item in _lines(self.folder / "items.jsonl.gz", _Item)}

    @cached_property
    def _prompts(self) -> dict[Key, tuple[str, ...]]:
        """Conversation to the items that it was asked for; `id 2` is item `id` with its question read twice."""
        found: dict[Key, tuple[str, ...]] = {}
        for item in self._items.values():
            if (asked := item.conversation()) is None:
                continue
            found[asked] = (*found.get(asked, ()), item.id)
            if self._reads_twice and isinstance(asked, str):
                found |= {form.format(asked): (f"{item.id} 2",) for form in TWICE}
        return found

    @cached_property
    def _reads_twice(self) -> bool:
        return any(item.endswith(" 2") for table in self._answers.values() for item in table)

    @cached_property
    def _answers(self) -> dict[str, dict[str, dict[int, Answer]]]:
        """Model to item to sample to answer."""
        found: dict[str, dict[str, dict[int, Answer]]] = {}
        for record in _lines(self.folder / "records.jsonl.gz", _Record):
            item = record.id if record.read_times == 1 else f"{record.id} {record.read_times}"
            answers = found.setdefault(_name_of(record), {}).setdefault(item, {})
            if record.answers is None:
                answers[len(answers) if record.sample is None else record.sample] = self._single(record)
            else:
                answers |= enumerate(self._several(record))
        return found

    def _single(self, record: _Record) -> Answer:
        usage = record.usage
        if usage is None:
            completion = record.completion_tokens if isinstance(record.completion_tokens, int) else 0
            usage = Usage(record.prompt_tokens or 0, completion)
            if record.prompt_tokens is None:
                asked = self._items[record.id].conversation() if record.id in self._items else None
                tokens = estimate_tokens(asked) * record.read_times if isinstance(asked, str) else 0
                usage = Usage(tokens, completion, estimated=True)
        return Answer(record.output, usage, record.seconds, record.finish_reason)

    def _several(self, record: _Record) -> Iterator[Answer]:
        """All samples of one call: they share its prompt, so all but the first read it from the cache.

        Every text ends with the recorded answer; a sample without one (a program that failed) has none.
        """
        tokens = record.completion_tokens if isinstance(record.completion_tokens, list) else []
        answers = record.answers or []
        item = self._items.get(record.id)
        prompt = self._few_shot.get(f"{record.task}/{record.method}", 0) + (item.question_tokens if item else 0)
        for i in range(max(len(tokens), len(answers))):
            answer = answers[i] if i < len(answers) else None
            text = record.first_output or "" if i == 0 else ""
            if answer is not None:
                text = f"{text}\n\nAnswer: {_plain(answer)}".strip()
            usage = Usage(prompt, tokens[i] if i < len(tokens) else 0, cached_tokens=prompt if i else 0)
            yield Answer(text, usage)


def _name_of(record: _Record) -> str:
    parts = [record.model]
    if record.method:
        parts.append(record.method)
    if record.run and record.run != "default":
        parts.append(record.run)
    return "/".join(parts)


def _plain(answer: float | str) -> str:
    return str(int(answer)) if isinstance(answer, float) and answer.is_integer() else str(answer)


def _start(messages: Sequence[Message]) -> str:
    text = next((m.text for m in reversed(messages) if m.role == "user"), "")
    words = " ".join(text.split()[:8])
    return repr(words + "…" if len(text) > len(words) else words)


def _first(path: Path) -> Json:
    """The first line of a file; empty where there is none that can be read."""
    try:
        with gzip.open(path) as file:
            found = msgspec.json.decode(file.readline())
    except (OSError, EOFError, zlib.error, msgspec.DecodeError):
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}


def _lines(path: Path, kind: type[_T]) -> list[_T]:
    try:
        raw = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise DataError("the file is missing", file=str(path)) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"not a whole gzip file: {error}", file=str(path)) from error
    try:
        return msgspec.json.Decoder(kind).decode_lines(raw)
    except msgspec.DecodeError as error:
        raise _broken(path, raw, kind, error) from error


def _broken(path: Path, raw: bytes, kind: type[Any], error: Exception) -> DataError:
    """The same error with the line that it is in."""
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            msgspec.json.decode(line, type=kind)
        except msgspec.DecodeError as found:
            return DataError(str(found), file=str(path), line=number)
    return DataError(str(error), file=str(path))


@lru_cache(maxsize=32)
def _open(folder: Path, changed: int) -> Recorded:
    return Recorded(folder)


def open_set(folder: Path) -> Recorded:
    """The set in a folder, shared by all who open it, read anew after it changed."""
    return _open(folder.resolve(), (folder / "records.jsonl.gz").stat().st_mtime_ns)
