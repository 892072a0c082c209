"""The files of a recorded set: gzipped JSON, one object a line."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from compose.errors import DataError
from compose.types import Json, Message, Params, Price, Usage

_T = TypeVar("_T")


class Item(msgspec.Struct):
    """A line of `items.jsonl.gz`: one conversation."""

    id: str
    prompt: str | None = None
    messages: tuple[Message, ...] | None = None
    instruction: str | None = None
    question: str | None = None
    question_tokens: int = 0


class Record(msgspec.Struct):
    """A line of `records.jsonl.gz`: one sample of one model, or all of them."""

    id: str
    model: str
    output: str | None = None
    sample: int | None = None
    params: Params | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | list[int] | None = None
    usage: Usage | None = None
    seconds: float = 0.0
    finish_reason: str | None = None
    tool_calls: list[Json] | None = None
    logprobs: list[Json] | None = None
    reasoning: str | None = None
    method: str | None = None
    read_times: int = 1
    run: str | None = None
    task: str | None = None
    answers: list[float | str | None] | None = None
    first_output: str | None = None


class Listed(msgspec.Struct):
    """An entry of `models.json`: the price of a model."""

    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    price_source: str | None = None
    price: Price | None = None


def first(path: Path) -> Json:
    """The first line of a file; empty where there is none that can be read."""
    try:
        with gzip.open(path) as file:
            found = msgspec.json.decode(file.readline())
    except (OSError, EOFError, zlib.error, msgspec.DecodeError):
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}


def lines(path: Path, kind: type[_T]) -> list[_T]:
    """All lines of a file; raises `DataError` with the line that is broken."""
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
