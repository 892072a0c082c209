"""Benchmarks from a user's own files: JSON lines, CSV, or a pandas frame.

One line is one item:

    {"id": "1", "prompt": "2 + 2?", "target": "4", "groups": {"level": "1"}}

`prompt` may be `messages` (OpenAI's form) instead. Only one of these two is
needed; without an `id` it is the line number. `groups` maps group to value;
`scorer` names the scorer of the whole file and may stand in the first line, or be
given as an option. All other fields are kept in the item's `meta`. In a CSV or a
frame the columns are the fields, and `group.level` is the group `level`.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from compose.config import is_trusted
from compose.errors import DataError
from compose.evals.benchmark import FILES, Benchmark, Item
from compose.evals.scorers import make
from compose.evals.scorers.exact import targets
from compose.evals.scorers.regex import Regex
from compose.types import Message

if TYPE_CHECKING:
    from compose.evals.scorers import Scorer

Row = dict[str, Any]
LONGEST_LINE = 64 << 20
"""Bytes of one item; images and audio included."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_KNOWN = frozenset({"id", "prompt", "messages", "target", "groups", "meta", "scorer"})


class FileBenchmark(Benchmark):
    """The items of a `.jsonl`, `.jsonl.gz` or `.csv` file.

    `scorer` is a registered name; without one it is the file's, else `exact`.
    `settings` go to the scorer, e.g. the judge's model.
    """

    def __init__(
        self, path: Path, *, scorer: str | None = None, settings: Mapping[str, Any] | None = None, seed: int = 0
    ) -> None:
        super().__init__(seed=seed)
        self.path = path
        ending = next((e for e in FILES if path.name.endswith(e)), "")
        self.name = path.name.removesuffix(ending)
        self._asked = scorer
        self._settings = dict(settings or {})

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield line number and fields. Raises `DataError` for a line that cannot be read."""
        return _csv_rows(self.path) if self.path.suffix == ".csv" else read_lines(self.path)

    def read(self) -> Iterable[Item]:
        """Yield the items. Raises `DataError` with file, line and field."""
        lines: dict[str, int] = {}
        for line, row in self.rows():
            item = item_of(row, file=str(self.path), line=line)
            if item.id in lines:
                message = f"the id {item.id!r} is that of line {lines[item.id]} already"
                raise DataError(message, file=str(self.path), line=line, field="id")
            lines[item.id] = line
            if isinstance(self.scorer, Regex):
                self._refuse_no_pattern(item, line)
            yield item
        if not lines:
            raise DataError("no items", file=str(self.path))

    def _refuse_no_pattern(self, item: Item, line: int) -> None:
        for target in targets(item):
            try:
                re.compile(target)
            except (re.error, RecursionError, OverflowError) as error:
                message = f"{target!r} is no regular expression: {error}"
                raise DataError(message, file=str(self.path), line=line, field="target") from error

    def make_scorer(self) -> Scorer:
        """Make the scorer that was asked for, or that the file names."""
        name = self._asked or next((row["scorer"] for _, row in self.rows() if row.get("scorer")), "exact")
        if not isinstance(name, str):
            raise DataError(f"expected the name of a scorer, got {name!r}", file=str(self.path), field="scorer")
        if self._asked is None and ":" in name and not is_trusted(self.path.parent):
            told = f"names a scorer that asks a model ({name}), and this folder is not trusted"
            hint = f"--scorer {name} asks it all the same, as does compose trust {self.path.resolve().parent}"
            raise DataError(told, file=str(self.path), field="scorer", hint=hint)
        return make(name, **self._settings)

    @property
    def answer(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # known once the scorer is
        """The kind of answer that the scorer reads."""
        return getattr(self.scorer, "kind", "auto")


class FrameBenchmark(FileBenchmark):
    """The rows of a pandas frame, or of anything whose `to_dict("records")` gives rows."""

    def __init__(self, frame: Any, *, name: str = "frame", scorer: str | None = None, **settings: Any) -> None:
        super().__init__(Path(name), scorer=scorer, settings=settings)
        self._frame = frame

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield row number (from 1) and fields; empty cells are left out."""
        for number, row in enumerate(self._frame.to_dict("records"), 1):
            yield number, _flat({str(k): v for k, v in row.items() if not _is_nan(v)})


def from_frame(frame: Any, *, name: str = "frame", scorer: str | None = None, **settings: Any) -> Benchmark:
    """A benchmark of the rows of a pandas frame; the columns are the fields of an item."""
    return FrameBenchmark(frame, name=name, scorer=scorer, **settings)


def item_of(row: Row, *, file: str, line: int) -> Item:
    """Make the item of a row. Raises `DataError` naming the field that is wrong."""
    groups: Any = row.get("groups") or {}
    if not isinstance(groups, dict):
        raise DataError(f"expected an object, got {groups!r}", file=file, line=line, field="groups")
    meta: Any = row.get("meta") or {}
    if not isinstance(meta, dict):
        raise DataError(f"expected an object, got {meta!r}", file=file, line=line, field="meta")
    id = row.get("id", line)
    if not isinstance(id, (str, int)) or isinstance(id, bool) or id == "":
        raise DataError(f"expected a text or a number, got {id!r}", file=file, line=line, field="id")
    return Item(
        str(id),
        _messages(row, file, line),
        row.get("target"),
        {str(k): str(v) for k, v in cast(Row, groups).items()},
        {**{k: v for k, v in row.items() if k not in _KNOWN}, **cast(Row, meta)},
    )


def _messages(row: Row, file: str, line: int) -> tuple[Message, ...]:
    prompt, messages = row.get("prompt"), row.get("messages")
    if (prompt is None) == (messages is None):
        raise DataError("an item needs either `prompt` or `messages`", file=file, line=line, field="prompt")
    if messages is None:
        if not isinstance(prompt, str) or not prompt.strip():
            raise DataError(f"expected a text, got {prompt!r}", file=file, line=line, field="prompt")
        return (Message("user", prompt),)
    if isinstance(messages, str):
        try:
            messages = json.loads(messages)
        except ValueError as error:
            raise DataError(f"not JSON: {error}", file=file, line=line, field="messages") from error
    try:
        found = msgspec.convert(messages, tuple[Message, ...])
    except msgspec.ValidationError as error:
        raise DataError(str(error), file=file, line=line, field="messages") from error
    if not found:
        raise DataError("no messages", file=file, line=line, field="messages")
    return found


def read_lines(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield line number and object of every line that is not empty.

    Raises `DataError` with file and line for a line that is not a JSON object in
    UTF-8, longer than `LONGEST_LINE`, or holds what is no text or no number.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), 1):
                if len(line) > LONGEST_LINE:
                    raise DataError(f"longer than {LONGEST_LINE >> 20} MiB", file=str(path), line=number)
                text = line.removeprefix(BOM_UTF8) if number == 1 else line
                if text.strip():
                    yield number, _object(text, path, number)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read: {_reason(error)}", file=str(path)) from error


def _object(line: bytes, path: Path, number: int) -> Row:
    try:
        row = json.loads(line.decode())
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg} (character {error.pos + 1})"
        raise DataError(message, file=str(path), line=number) from error
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8: {error.reason} (byte {error.start + 1})", file=str(path), line=number) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}", file=str(path), line=number) from error
    if not isinstance(row, dict):
        raise DataError(f"expected an object, got {type(row).__name__}", file=str(path), line=number)
    for field, value in cast(Row, row).items():
        if fault := _fault([field, value]):
            raise DataError(fault, file=str(path), line=number, field=ascii(field)[1:-1])
    return cast(Row, row)


def _fault(value: Any) -> str | None:
    """What Python's JSON reader lets pass and nobody can write: `NaN`, `Infinity`, halves of surrogate pairs."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str) and _SURROGATE.search(part):
            return "half a surrogate pair is no text"
        if isinstance(part, float) and not math.isfinite(part):
            return f"{part} is no number"
        if isinstance(part, dict):
            waiting += [*cast(Row, part), *cast(Row, part).values()]
        elif isinstance(part, list):
            waiting += cast("list[Any]", part)
    return None


def _csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    reader = None
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            for row in reader:
                if None in row or None in row.values():
                    raise DataError(
                        "the line has another number of fields than the head", file=str(path), line=reader.line_num
                    )
                first = reader.line_num - sum(value.count("\n") for value in row.values())
                yield first, _flat({k: v for k, v in row.items() if v != ""})
    except csv.Error as error:
        line = reader.reader.line_num if reader else 1
        raise DataError(f"not CSV: {error}", file=str(path), line=line, hint="as .jsonl it may do") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read: {_reason(error)}", file=str(path)) from error


def _flat(row: Row) -> Row:
    """`group.level` as the group `level`."""
    groups = {k.removeprefix("group."): v for k, v in row.items() if k.startswith("group.")}
    rest = {k: v for k, v in row.items() if not k.startswith("group.")}
    return {**rest, "groups": groups} if groups else rest


def _is_nan(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
