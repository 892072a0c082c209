"""What a search is set up from: the models, the items, their prices, and an estimate for a dry run."""

from __future__ import annotations

import hashlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

import msgspec

from compose.errors import ConfigError, UnknownName
from compose.pipeline.graph import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from compose.evals.benchmark import Benchmark, Item
    from compose.models.call import Caller


def chosen(models: Sequence[str], exclude: Iterable[str]) -> list[str]:
    """The models, each once, without those excluded by their id or its last part."""
    ids = list(dict.fromkeys(models))
    for name in exclude:
        hit = [id for id in ids if name in (id, id.rpartition("/")[2])]
        if not hit:
            raise UnknownName("model to exclude", name, [n for id in models for n in (id, id.rpartition("/")[2])])
        ids = [id for id in ids if id not in hit]
    if not ids:
        raise ConfigError("no model is left to search over", hint="exclude fewer, or name one with --model")
    return ids


def items(benchmark: Benchmark, seed: int, limit: int | None) -> tuple[list[Item], list[Item]]:
    """Dev and test items; `limit` counts both. Raises `ConfigError` where a half would be empty."""
    if limit is not None and limit < 2:
        raise ConfigError(f"a search needs at least 2 items, one for dev and one for test, not {limit}")
    dev = benchmark.split("dev", seed=seed, limit=None if limit is None else (limit + 1) // 2)
    test = benchmark.split("test", seed=seed, limit=None if limit is None else limit // 2)
    if not dev or not test:
        raise ConfigError(f"benchmark {benchmark.name!r} has too few items for a dev and a test half")
    return dev, test


def digest(benchmark: Benchmark, items: Iterable[Item]) -> str:
    """What tells a benchmark from another one, or from itself after an edit."""
    scorer = benchmark.scorer
    marks = [type(scorer).__qualname__, sorted((k, repr(v)) for k, v in vars(scorer).items())]
    asked = [(item.id, item.messages, repr(item.target)) for item in items]
    return hashlib.blake2b(msgspec.json.encode((marks, asked)), digest_size=16).hexdigest()


def price(caller: Caller, id: str) -> dict[str, Any]:
    """A model's list price as plain data, empty where it is unknown."""
    found = caller.model(id).price
    return msgspec.to_builtins(found) if found else {}


def estimate(ids: Sequence[str], dev: Sequence[Item], caller: Caller) -> dict[str, Any]:
    """Calls and USD (expected, high) of measuring every model alone on dev."""
    parts = [
        Pipeline.from_data({"version": 1, "steps": [{"use": "generate", "model": id}]}).explain(
            dev[0].messages, caller=caller
        )
        for id in ids
    ]
    known = [p.usd for p in parts if p.usd is not None]
    whole = len(known) == len(parts)
    return {
        "calls": len(ids) * len(dev),
        "usd_expected": sum(u.expected for u in known) * len(dev) if whole else None,
        "usd_high": sum(u.high for u in known) * len(dev) if whole else None,
    }


def version() -> str:
    """The version of `compose` that is installed."""
    try:
        return metadata.version("compose-llm")
    except metadata.PackageNotFoundError:
        return "0+checkout"
