"""Writes a set of recorded outputs: the files that `replay/SET/MODEL` answers from.

SET/items.jsonl.gz     id, messages, target
SET/records.jsonl.gz   id, model, sample, output, usage, and what else of params and response there is
SET/models.json        model -> price
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from compose.config import user_dir
from compose.errors import ConfigError
from compose.models.recorded.answers import settings_of
from compose.types import Json, Message, Params, Price, Request, Response

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _Item(msgspec.Struct):
    id: str
    messages: tuple[Message, ...]
    target: Any = None


class _Record(msgspec.Struct, omit_defaults=True):
    id: str
    model: str
    sample: int
    output: str
    usage: Any
    seconds: float = 0.0
    finish_reason: str | None = None
    params: Params | None = None
    tool_calls: list[Json] | None = None
    logprobs: list[Json] | None = None
    reasoning: str | None = None


class _Listed(msgspec.Struct):
    price: Price | None
    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    price_source: str | None


def recording_folder(name: str, *, replace: bool = False) -> Path:
    """Where the set `name` is kept, or is to be. Raises `ConfigError` where `write_recording` would."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot name a recorded set", hint="use letters, digits, dots, dashes")
    folder = user_dir() / "recordings" / name
    if folder.exists() and not replace:
        raise _taken(folder)
    return folder


def write_recording(
    name: str,
    calls: Iterable[tuple[Request, Response]],
    *,
    prices: Mapping[str, Price | None] | None = None,
    targets: Iterable[tuple[tuple[Message, ...], Any]] = (),
    replace: bool = False,
) -> Path:
    """Keep calls as the set `name` among the user's recordings; returns its folder.

    One item per distinct conversation, one record per model, settings and sample,
    the first where it came twice; the model is the one that was asked. `targets`
    pairs conversations with what is right for them. The set appears whole or
    not at all, readable by its owner alone. Raises `ConfigError` where the name
    is no folder name, the set is there already and not to be replaced, or the
    disk is full.
    """
    folder = recording_folder(name, replace=replace)
    items: dict[bytes, _Item] = {}
    records: dict[tuple[str, str, int, bytes], _Record] = {}
    encode = msgspec.json.encode
    known = {encode(messages): target for messages, target in targets}
    for request, response in calls:
        asked = encode(request.messages)
        item = items.setdefault(asked, _Item(str(len(items)), request.messages, known.get(asked)))
        key = (item.id, request.model, request.sample, settings_of(request.params))
        if key not in records:
            records[key] = _record(item.id, request, response)
    models = {record.model: _listed((prices or {}).get(record.model)) for record in records.values()}
    return save_set(folder, items.values(), records.values(), models, replace=replace)


def save_set(
    folder: Path, items: Iterable[Any], records: Iterable[Any], models: Mapping[str, Any], *, replace: bool = False
) -> Path:
    """Write the three files of a set; the same rows give the same bytes.

    The folder appears whole or not at all, readable by its owner alone, and one
    that is replaced is there until then. Raises `ConfigError` where the set is
    there already and not to be replaced, or the disk is full.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent, ignore_cleanup_errors=True) as parts:
            new, old = Path(parts, "new"), Path(parts, "old")
            new.mkdir(mode=0o700)
            _save(new / "items.jsonl.gz", items)
            _save(new / "records.jsonl.gz", records)
            (new / "models.json").write_bytes(msgspec.json.format(msgspec.json.encode(models), indent=1))
            _put(new, folder, old, replace=replace)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}", hint="COMPOSE_CACHE moves the folder") from error
    return folder


def _put(new: Path, folder: Path, old: Path, *, replace: bool) -> None:
    """Move a set to its place, and what stands there aside; it comes back where that fails."""
    if replace and folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError as error:
        if old.exists():
            old.rename(folder)
        elif folder.exists():  # another process was quicker
            raise _taken(folder) from error
        raise


def _taken(folder: Path) -> ConfigError:
    return ConfigError(f"the recorded set {folder.name!r} exists already", hint="choose another name, or --replace it")


def _record(item: str, request: Request, response: Response) -> _Record:
    return _Record(
        item,
        request.model,
        request.sample,
        response.text,
        response.usage,
        response.seconds,
        response.finish_reason,
        None if request.params == Params() else request.params,
        response.tool_calls,
        response.logprobs,
        response.reasoning,
    )


def _listed(price: Price | None) -> _Listed:
    if price is None:
        return _Listed(None, None, None, None)
    return _Listed(price, price.input, price.output, price.source or None)


def _save(path: Path, rows: Iterable[Any]) -> None:
    """One JSON object a line."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        for row in rows:
            file.write(msgspec.json.encode(row) + b"\n")
