"""`compose.toml`: which models there are, with whose keys, at what price and pace.

The nearest file upwards counts, else the one in the per-user folder. A file that
was merely found is somebody else's until `compose trust FOLDER` was said or its
path was given: until then it names models and settings, and neither environment
variables to read, nor servers to send prompts and keys to, nor prices, which a
budget is kept by.
"""

from __future__ import annotations

import json
import math
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec

from compose.errors import ConfigError, UnknownName
from compose.types import Params, Price
from compose.whole import write_whole

CacheMode = Literal["on", "read", "off"]
FILE_NAME = "compose.toml"

_Positive = Annotated[float, msgspec.Meta(gt=0)]


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `[models.NAME]` says about one model; every field may be left out.

    >>> ModelConfig(id="gpt-4o-mini", rpm=500).concurrency is None
    True
    """

    id: str = ""
    """The id that the name stands for; the name itself where it is left out."""
    api_key_env: str | None = None
    """The environment variable that holds the key. The key itself never stands in a file."""
    base_url: str | None = None
    """Server to ask instead of the provider's own."""
    price: Price | None = None
    """USD per million tokens; goes before any other price list."""
    rpm: _Positive | None = None
    """Requests per minute."""
    tpm: _Positive | None = None
    """Tokens per minute, estimated before a call."""
    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Calls in flight at once."""
    timeout: _Positive | None = None
    """Seconds that one attempt may take."""
    fallbacks: tuple[str, ...] = ()
    """Models to ask, in order, when this one failed for good."""
    params: Params = Params()
    """Settings for requests that do not set them."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All that a `compose.toml` says, and how far it is trusted.

    >>> Config().cache
    'on'
    """

    models: dict[str, ModelConfig] = {}
    cache: CacheMode = "on"
    cache_ttl_days: _Positive | None = None
    trusted: bool = True
    path: Path | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    models: dict[str, ModelConfig] = {}
    cache: CacheMode = "on"
    cache_ttl_days: _Positive | None = None


def user_dir() -> Path:
    """The per-user folder of cache, models, recordings and trust; `COMPOSE_CACHE` moves it.

    Not created here: whoever writes creates what it needs.
    """
    if moved := os.environ.get("COMPOSE_CACHE"):
        return Path(moved).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("compose")


def load_config(start: Path | None = None, *, explicit: Path | None = None) -> Config:
    """Read the configuration that holds for a folder (default: the current one).

    `explicit` names a file, which is thereby trusted. Without any file the
    defaults hold. Raises `ConfigError` for a file that cannot be read, holds a
    wrong value, or names servers or environment variables without being trusted.
    """
    if explicit is not None:
        return _read(explicit, trusted=True)
    found = _nearest(start or Path.cwd())
    personal = user_dir() / FILE_NAME
    if found is None or found == personal:
        return _read(personal, trusted=True) if personal.is_file() else Config()
    return _read(found, trusted=is_trusted(found.parent))


def trust(folder: Path) -> None:
    """Let the `compose.toml`, pipeline files and spaces of a folder, and below it, name servers and keys."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder", hint="compose trust FOLDER")
    _write_trusted({*trusted_folders(), str(folder.resolve())})


def distrust(folder: Path) -> None:
    """Take back what `trust` said of a folder; one that is gone can be named too."""
    known, here = set(trusted_folders()), str(folder.resolve())
    if here not in known:
        raise ConfigError(f"{here} is not among the trusted folders", hint="compose trust --list")
    _write_trusted(known - {here})


def is_trusted(folder: Path) -> bool:
    """Whether the user said `compose trust` about a folder or one above it."""
    here = folder.resolve()
    return any(here.is_relative_to(known) for known in trusted_folders())


def trusted_folders() -> list[str]:
    """The folders that the user trusts, as absolute paths; what is below them is trusted too."""
    file = _trust_file()
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[str])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{file}: {error}", hint="delete the file and trust the folders again") from error


def _trust_file() -> Path:
    return user_dir() / "trusted.json"


def _write_trusted(folders: set[str]) -> None:
    file = _trust_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(sorted(folders), indent=1))


def _nearest(start: Path) -> Path | None:
    here = start.resolve()
    return next((file for d in (here, *here.parents) if (file := d / FILE_NAME).is_file()), None)


def _read(path: Path, *, trusted: bool) -> Config:
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="`compose init` writes a commented file") from error
    except (ValueError, RecursionError) as error:  # of the text, the syntax, a number too long, nesting too deep
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    _check_names(path, text, data)
    _check_amounts(path, data)
    try:
        file = msgspec.convert(data, _File)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}", hint="`compose init` writes a commented file") from error
    if not trusted:
        _check_harmless(path, text, file)
    return Config(models=file.models, cache=file.cache, cache_ttl_days=file.cache_ttl_days, trusted=trusted, path=path)


def _check_names(path: Path, text: str, data: dict[str, Any]) -> None:
    for key in data:
        _known("setting", key, _File, path, text)
    models = data.get("models")
    for name, model in cast("dict[str, Any]", models).items() if isinstance(models, dict) else ():
        if not isinstance(model, dict):
            continue
        for key, value in cast("dict[str, Any]", model).items():
            _known(f"setting of model {name!r}", key, ModelConfig, path, text)
            inner = {"params": Params, "price": Price}.get(key)
            for part in cast("dict[str, Any]", value) if inner and isinstance(value, dict) else ():
                _known(f"part of {key} of model {name!r}", part, inner or Params, path, text)


def _check_amounts(path: Path, data: dict[str, Any], above: str = "") -> None:
    """Refuse by name what no setting takes: numbers that are not finite, and prices below 0."""
    for key, value in data.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            _check_amounts(path, cast("dict[str, Any]", value), f"{name}.")
        elif isinstance(value, int | float):
            priced = above.endswith(".price.")
            if not -math.inf < value < math.inf or (priced and value < 0):
                least = " of at least 0" if priced else ""
                raise ConfigError(f"{path}: {name} is {value}, not a finite amount{least}")


def _known(what: str, key: str, struct: type[msgspec.Struct], path: Path, text: str) -> None:
    if key not in struct.__struct_fields__:
        raise UnknownName(what, key, struct.__struct_fields__, where=f"{path}:{_line_of(text, key)}: ")


def _line_of(text: str, word: str) -> int:
    """The line that a word first stands on outside comments; 1 if it is nowhere."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if word in line.split("#", 1)[0]), 1)


def _check_harmless(path: Path, text: str, file: _File) -> None:
    for name, model in file.models.items():
        for what, value in (("an environment variable", model.api_key_env), ("a server", model.base_url)):
            if value is not None:
                raise _untrusted(path, text, name, what, value)
        if model.price is not None:
            raise _untrusted(path, text, name, "a price", "price")
        for target in (name, model.id, *model.fallbacks):
            if "://" in target:
                raise _untrusted(path, text, name, "a server", target)


def _untrusted(path: Path, text: str, name: str, what: str, value: str) -> ConfigError:
    place = f"{path}:{_line_of(text, value.split('#', 1)[0])}"
    return ConfigError(
        f"{place}: model {name!r} names {what}{'' if value in what else f' ({value})'}, and this folder is not trusted",
        hint=f"compose trust {path.parent}",
    )
