"""The portable record of a search: everything its report is made from, in one file.

`run.record.jsonl.gz` holds one JSON object a line: first the set-up, then every
trial with its dev marks, then every pipeline measured on test, then the end.
It can be passed on. It holds ids and marks of items, pipelines, prices, and for
each model that failed a message; servers by their addresses, since these are
their models' ids. It holds no prompt and no answer, no path of this machine, and
nothing that a URL hides (see `public`).
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from compose import errors
from compose.errors import ComposeError, DataError, ModelError
from compose.search.public import public_names, renamed, without_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "compose.record/1"
NAME = "run.record.jsonl.gz"
End = Literal["done", "budget", "interrupted", "dry_run"]


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a search was asked to do; two searches with equal set-ups find the same."""

    benchmark: str
    answer: str
    seed: int
    sampler: str
    models: tuple[str, ...]
    space: dict[str, Any]
    dev: tuple[str, ...]
    """Ids of the dev items, in the order in which they are used."""
    test: tuple[str, ...]
    items: str = ""
    """Digest of all items, targets among them, and of what marks them."""
    recorded: bool
    version: str
    """Of `compose`."""
    prices: dict[str, Any] = {}
    """Per model `{input, output, source, date}`, USD per million tokens."""
    licence: str = ""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline on items: marks and prices in the items' order, `None` where there is none.

    `usd` holds list prices of the calls that each item needs, cached or not;
    `latency_s` the mean critical path of its model calls in seconds, `None`
    where nobody measured it.
    """

    key: str
    pipeline: dict[str, Any]
    scores: tuple[float | None, ...]
    usd: tuple[float | None, ...]
    latency_s: float | None = None
    calls: int = 0
    """Of the pipeline alone."""
    judged: int = 0
    """Calls of the scorer."""
    usd_judged: float | None = 0.0
    """List price of the scorer's calls; no part of `usd`."""
    made: int = 0
    """Calls of both that this search was the first to ask: the cache did not hold them before."""
    usd_spent: float | None = 0.0
    """Paid for those."""
    seconds: float = 0.0
    errors: dict[str, str] = {}
    """Model or error kind to the message of its first failure."""
    failed: int = 0
    """Items that ended in an error."""

    @property
    def items(self) -> int:
        """How many items were marked."""
        return sum(s is not None for s in self.scores)

    @property
    def quality(self) -> float:
        """Mean mark of the marked items."""
        marks = [s for s in self.scores if s is not None]
        return sum(marks) / len(marks) if marks else 0.0

    @property
    def usd_per_item(self) -> float | None:
        """Mean list price of a marked item, `None` if one is unknown."""
        paid = [u for s, u in zip(self.scores, self.usd, strict=True) if s is not None]
        known = [u for u in paid if u is not None]
        return sum(known) / len(known) if known and len(known) == len(paid) else None

    @property
    def usd_to_measure(self) -> float:
        """USD that measuring an item takes, its mark included, as far as prices are known."""
        return (self.usd_per_item or 0.0) + (self.usd_judged or 0.0) / max(self.items, 1)

    @property
    def single(self) -> str | None:
        """The model's id if this is one model asked once, with its own settings."""
        match self.pipeline["steps"]:
            case [{"use": "generate", "model": str(model), **rest}] if rest.keys() <= {"max_tokens"}:
                return model
            case _:
                return None


class Failure(msgspec.Struct, frozen=True):
    """An error as it is kept: its class, what it says, and the model it blames if it blames one."""

    kind: str
    message: str
    hint: str | None = None
    model: str | None = None

    @classmethod
    def of(cls, error: ComposeError) -> Failure:
        """Keep an error."""
        model = error.model if isinstance(error, ModelError) else None
        return cls(error.kind, error.message, error.hint, model)

    def error(self) -> ComposeError:
        """The error again, as far as it is kept."""
        if self.model is None:
            return ComposeError(self.message, hint=self.hint)
        kind = getattr(errors, self.kind, ModelError)
        return kind(self.message.removeprefix(f"{self.model}: "), model=self.model, hint=self.hint)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline that was tried on dev: its place, its choices, its measurement."""

    number: int
    params: dict[str, Any]
    measured: Measured
    stopped_early: bool = False
    """Racing stopped it before the last dev item: it could no longer win."""
    failure: Failure | None = None
    """Why a model alone answered no item."""


class Record(msgspec.Struct, kw_only=True):
    """A whole search. `end` is `done`, `budget` or `interrupted`."""

    setup: Setup
    trials: list[Trial] = []
    test: list[Measured] = []
    end: End = "done"
    wanted: int = 0
    """How many trials were asked for."""
    seconds: float = 0.0


class _End(msgspec.Struct):
    end: End
    wanted: int
    seconds: float


class _Line(msgspec.Struct, omit_defaults=True):
    kind: str
    schema: str = ""
    setup: Setup | None = None
    trial: Trial | None = None
    test: Measured | None = None
    end: _End | None = None


def write_record(record: Record, path: Path) -> None:
    """Write the record, whole or not at all; equal records give equal bytes."""
    lines = [
        _Line("setup", SCHEMA, setup=record.setup),
        *(_Line("trial", trial=_passable(t)) for t in record.trials),
        *(_Line("test", test=_without_paths(m)) for m in record.test),
        _Line("end", end=_End(record.end, record.wanted, record.seconds)),
    ]
    part = path.with_name(path.name + ".part")
    names = public_names(_models(record))
    with part.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        for line in lines:
            file.write(renamed(msgspec.json.encode(line).decode(), names).encode() + b"\n")
    part.replace(path)


def _passable(trial: Trial) -> Trial:
    failure = trial.failure
    if failure:
        hint = without_paths(failure.hint) if failure.hint else None
        failure = msgspec.structs.replace(failure, message=without_paths(failure.message), hint=hint)
    return msgspec.structs.replace(trial, measured=_without_paths(trial.measured), failure=failure)


def _without_paths(measured: Measured) -> Measured:
    errors = {blamed: without_paths(message) for blamed, message in measured.errors.items()}
    return msgspec.structs.replace(measured, errors=errors)


def _models(record: Record) -> Iterator[str]:
    """Every id that a record may hold: those that were asked for, and those that failed for them."""
    yield from record.setup.models
    for measured in (*(t.measured for t in record.trials), *record.test):
        yield from measured.errors
    for trial in record.trials:
        if trial.failure and trial.failure.model:
            yield trial.failure.model


def read_record(path: Path) -> Record:
    """Read a record file, or the one in a search's folder.

    Raises `DataError` naming file and line for anything that is not a record.
    """
    if path.is_dir():
        path = path / NAME
    record: Record | None = None
    number = 0
    try:
        with gzip.open(path, "rb") as file:
            for text in file:
                number += 1
                record = _add(record, _line(text, path, number), path, number)
    except FileNotFoundError as error:
        raise DataError(
            "there is no search record here", file=str(path), hint="give a search's --out folder"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"not a search record: {error}", file=str(path), line=number + 1) from error
    if record is None:
        raise DataError("an empty search record", file=str(path))
    return record


def _line(text: bytes, path: Path, number: int) -> _Line:
    try:
        return msgspec.json.decode(text, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"not a search record: {error}", file=str(path), line=number) from error


def _add(record: Record | None, line: _Line, path: Path, number: int) -> Record:
    if line.setup is not None:
        if line.schema != SCHEMA:
            raise DataError(f"schema {line.schema!r}, this compose reads {SCHEMA!r}", file=str(path), line=number)
        return Record(setup=line.setup)
    if record is None:
        raise DataError("a record begins with its set-up", file=str(path), line=number)
    if line.trial is not None:
        _check_size(line.trial.measured, record.setup.dev, path, number)
        record.trials.append(line.trial)
    if line.test is not None:
        _check_size(line.test, record.setup.test, path, number)
        record.test.append(line.test)
    if line.end is not None:
        record.end, record.wanted, record.seconds = line.end.end, line.end.wanted, line.end.seconds
    return record


def _check_size(measured: Measured, items: tuple[str, ...], path: Path, number: int) -> None:
    if not len(measured.scores) == len(measured.usd) == len(items):
        found = f"{len(measured.scores)} marks and {len(measured.usd)} prices of {len(items)} items"
        raise DataError(f"not a search record: {found}", file=str(path), line=number)
