"""`Recorded`: one set of recorded answers, and what is found in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from compose.cost import estimate_tokens
from compose.errors import DataError, ModelError
from compose.models.model import Abilities
from compose.models.recorded.answers import Answer, Settings, name_of, settings_of, several, single
from compose.models.recorded.rows import Item, Listed, Record, first, lines
from compose.types import Json, Message, Params, Price, Request

TWICE = ("{0} \n\nRead the question again: {0}", "{0}\nRead the question again: {0}")
"""How a question that is read twice stands in a prompt: as recorded, and as the paper prints it."""
_SHOWN = 6
"""Recorded settings that an error names."""

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
        item, record = first(self.folder / "items.jsonl.gz"), self._first_record
        asked = any(item.get(field) is not None for field in ("prompt", "messages", "instruction", "question"))
        return asked and ("output" in record or "first_output" in record)

    @cached_property
    def _first_record(self) -> Json:
        return first(self.folder / "records.jsonl.gz")

    @cached_property
    def models(self) -> list[str]:
        """The names of the models, in the order of the price list, then of the records."""
        listed = [name for name in self._listed if name in self._answers]
        return [*listed, *(name for name in self._answers if name not in listed)]

    def listing(self) -> list[tuple[str, int | None]]:
        """The models with the most samples that any prompt has; `None` where that takes reading all records."""
        record = self._first_record
        if "method" in record or "sample" in record:
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
        return max((len(found) for settings in self._answers[name].values() for found in settings.values()), default=0)

    def abilities(self, name: str) -> Abilities:
        """What the recorded calls of a model asked for; what none of them did cannot be replayed."""
        every = {key for settings in self._answers[name].values() for key in settings}
        asked = [msgspec.json.decode(key, type=Params) for key in every]
        return Abilities(
            images=True,  # a conversation is recorded whole or not at all
            audio=True,
            tools=any(p.tools for p in asked),
            response_format=any(p.response_format is not None for p in asked),
            logprobs=any(p.logprobs or p.top_logprobs for p in asked),
            effort=any(p.effort is not None for p in asked),
            grammar=any(p.grammar is not None for p in asked),
        )

    def answer(self, name: str, request: Request, model: str) -> Answer:
        """The recorded sample, or a `ModelError` that says what is not recorded.

        A prompt that was recorded with one setting answers requests with any; of
        several, the one that a request has is the one that answers.
        """
        messages = request.messages
        samples = self._samples(name, request, model)
        answer = samples.get(request.sample)
        if answer is None:
            count = len(samples)
            raise ModelError(
                f"sample {request.sample} of prompt {_start(messages)} is not recorded in {self.name}",
                model=model,
                hint=f"{count} {'sample is' if count == 1 else 'samples are'} recorded",
            )
        if answer.text is None:
            raise ModelError(f"the recorded call for prompt {_start(messages)} had failed", model=model)
        return answer

    def _samples(self, name: str, request: Request, model: str) -> dict[int, Answer]:
        items = self._prompts.get(key_of(request.messages))
        table = self._answers[name]
        found = [settings for item in items or () if (settings := table.get(item))]
        if not found:
            raise ModelError(self._missing(request.messages, known=bool(items)), model=model)
        settings = found[0]
        if len(found) > 1 and any(other != settings for other in found):
            start = _start(request.messages)
            raise ModelError(f"prompt {start} stands for {len(found)} items with different answers", model=model)
        if len(settings) == 1:
            return next(iter(settings.values()))
        asked = settings_of(request.params)
        if asked not in settings:
            message = f"prompt {_start(request.messages)} is recorded in {self.name} with other settings than"
            raise ModelError(f"{message} {_short(asked)}", model=model, hint=f"recorded with {_either(settings)}")
        return settings[asked]

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
    def _listed(self) -> dict[str, Listed]:
        prices = {name: entry for name, entry in self._prices.items() if name != "few_shot_prompt_tokens"}
        try:
            return msgspec.convert(prices, dict[str, Listed])
        except msgspec.ValidationError as error:
            raise DataError(f"not a price list: {error}", file=str(self.folder / "models.json")) from error

    @property
    def _few_shot(self) -> dict[str, int]:
        return self._prices.get("few_shot_prompt_tokens") or {}

    @cached_property
    def _items(self) -> dict[str, Item]:
        return {item.id: item for item in lines(self.folder / "items.jsonl.gz", Item)}

    @cached_property
    def _prompts(self) -> dict[Key, tuple[str, ...]]:
        """Conversation to the items that it was asked for; `id 2` is item `id` with its question read twice."""
        found: dict[Key, tuple[str, ...]] = {}
        for item in self._items.values():
            if (asked := _conversation(item)) is None:
                continue
            found[asked] = (*found.get(asked, ()), item.id)
            if self._reads_twice and isinstance(asked, str):
                found |= {form.format(asked): (f"{item.id} 2",) for form in TWICE}
        return found

    @cached_property
    def _reads_twice(self) -> bool:
        return any(item.endswith(" 2") for table in self._answers.values() for item in table)

    @cached_property
    def _answers(self) -> dict[str, dict[str, Settings]]:
        """Model to item to settings to sample to answer."""
        found: dict[str, dict[str, Settings]] = {}
        for record in lines(self.folder / "records.jsonl.gz", Record):
            item = record.id if record.read_times == 1 else f"{record.id} {record.read_times}"
            settings = found.setdefault(name_of(record), {}).setdefault(item, {})
            samples = settings.setdefault(settings_of(record.params), {})
            if record.answers is None:
                samples[len(samples) if record.sample is None else record.sample] = single(record, self._tokens(record))
            else:
                samples |= enumerate(several(record, self._few_shot_tokens(record)))
        return found

    def _tokens(self, record: Record) -> int:
        """An estimate of a record's prompt, made only where the record does not count it."""
        if record.usage is not None or record.prompt_tokens or (item := self._items.get(record.id)) is None:
            return 0
        asked = item.messages or next((t for t in (item.prompt, item.instruction, item.question) if t is not None), "")
        return estimate_tokens(asked) * record.read_times

    def _few_shot_tokens(self, record: Record) -> int:
        item = self._items.get(record.id)
        return self._few_shot.get(f"{record.task}/{record.method}", 0) + (item.question_tokens if item else 0)


def _conversation(item: Item) -> Key | None:
    """What was asked: one user message as its text, else the messages."""
    if item.messages:
        return key_of(item.messages)
    return next((t for t in (item.prompt, item.instruction, item.question) if t is not None), None)


def _start(messages: Sequence[Message]) -> str:
    text = next((m.text for m in reversed(messages) if m.role == "user"), "")
    words = " ".join(text.split()[:8])
    return repr(words + "…" if len(text) > len(words) else words)


def _short(settings: bytes) -> str:
    text = settings.decode()
    return text if len(text) <= 100 else f"{text[:99]}…"


def _either(settings: Iterable[bytes]) -> str:
    shown = [_short(each) for each in settings]
    return " or ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")


@lru_cache(maxsize=32)
def _open(folder: Path, changed: int) -> Recorded:
    return Recorded(folder)


def open_set(folder: Path) -> Recorded:
    """The set in a folder, shared by all who open it, read anew after it changed."""
    return _open(folder.resolve(), (folder / "records.jsonl.gz").stat().st_mtime_ns)
