"""What a benchmark is: items with targets, a scorer, and splits that a seed fixes.

A benchmark stores its options and reads nothing until `items()` is asked for.
Dev and test never share a question: items with the same messages fall into the
same half, also where they belong to different groups. Within each combination of
groups the halves are balanced, and every prefix of a split is a fair sample of it, so that `limit` and racing can cut.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from compose.errors import ConfigError, DataError, UnknownName
from compose.registry import find, names
from compose.types import Message

if TYPE_CHECKING:
    from compose.evals.scorers import Scorer

Split = Literal["dev", "test", "all"]
FILES = (".jsonl", ".jsonl.gz", ".csv")
"""How the name of a user's own file ends."""
EMBEDDED_MODEL = "local/smollm2-135m"
"""The model that every installation can run: the default of benchmarks without recordings."""


def _no_groups() -> dict[str, str]:
    return {}


def _no_meta() -> dict[str, Any]:
    return {}


class Item(msgspec.Struct, frozen=True):
    """One question of a benchmark: what is asked, what is right, what it belongs to.

    >>> Item("a", (Message("user", "2 + 2?"),), "4").prompt
    '2 + 2?'
    """

    id: str
    messages: tuple[Message, ...]
    target: Any = None
    groups: dict[str, str] = msgspec.field(default_factory=_no_groups)
    meta: dict[str, Any] = msgspec.field(default_factory=_no_meta)

    @property
    def prompt(self) -> str:
        """The text of the last user message."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")


class Benchmark:
    """Items, a scorer and splits. A subclass gives `name`, `answer`, `scoring` and `read`.

    `answer` is the kind of answer to extract and to vote on (see
    `compose.pipeline.answer`), `scoring` the registered name of the scorer.
    """

    name: str = ""
    answer: str = "auto"
    scoring: str = "exact"
    licence: str = ""
    recorded: bool = False
    """True where `models()` are recordings that hold an answer for every item."""

    def __init__(self, *, data: Path | None = None, seed: int = 0) -> None:
        self.data = data
        self.seed = seed
        self._items: list[Item] | None = None
        self._scorer: Scorer | None = None

    def read(self) -> Iterable[Item]:
        """Yield all items. Raises `DataError` for a file that cannot be read."""
        raise NotImplementedError

    def items(self) -> list[Item]:
        """All items in their own order, read once. Raises `DataError` for a repeated id or no items."""
        if self._items is None:
            items = list(self.read())
            _refuse_repeats(items, self.name)
            self._items = items
        return self._items

    @property
    def scorer(self) -> Scorer:
        """The scorer, made once."""
        if self._scorer is None:
            self._scorer = self.make_scorer()
        return self._scorer

    def make_scorer(self) -> Scorer:
        """Make the scorer; a subclass overrides this to pass settings."""
        from compose.evals.scorers import make

        return make(self.scoring)

    def models(self) -> list[str]:
        """The ids of the models to search over when the user names none."""
        return [EMBEDDED_MODEL]

    def split(
        self, which: Split = "all", *, seed: int = 0, limit: int | None = None, dev_share: float = 0.5
    ) -> list[Item]:
        """The items of one half (`all`: both, dev first), in an order that the seed fixes.

        `limit` keeps that many, spread over the groups.
        """
        if which not in ("dev", "test", "all"):
            raise UnknownName("split", which, ("dev", "test", "all"))
        dev, test = halves(self.items(), seed=seed, dev_share=dev_share)
        chosen = {"dev": dev, "test": test, "all": dev + test}[which]
        return chosen if limit is None else chosen[: max(limit, 0)]

    def groups(self) -> dict[str, list[str]]:
        """Group names and the values that occur, in order of appearance."""
        seen: dict[str, dict[str, None]] = {}
        for item in self.items():
            for group, value in item.groups.items():
                seen.setdefault(group, {})[value] = None
        return {group: list(values) for group, values in seen.items()}


def _refuse_repeats(items: Sequence[Item], name: str) -> None:
    if not items:
        raise DataError(f"benchmark {name!r} has no items")
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise DataError(f"benchmark {name!r} has the id {item.id!r} twice", field="id")
        seen.add(item.id)


def _draw(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}\0{key}".encode()).hexdigest()


def halves(items: Sequence[Item], *, seed: int, dev_share: float = 0.5) -> tuple[list[Item], list[Item]]:
    """Divide items into dev and test by question, balanced over the groups.

    Adding an item moves at most a few others; the order of `items` plays no part.
    """
    units: dict[str, list[Item]] = {}
    for item in items:
        units.setdefault(repr([(m.role, m.content) for m in item.messages]), []).append(item)
    strata: dict[str, list[tuple[str, list[Item]]]] = {}
    for question, same in units.items():
        stratum = min(repr(sorted(item.groups.items())) for item in same)
        strata.setdefault(stratum, []).append((question, same))
    placed: tuple[list[tuple[float, str, list[Item]]], list[tuple[float, str, list[Item]]]] = ([], [])
    owed = 0.0
    for stratum in sorted(strata):
        drawn = sorted((_draw(seed, question), same) for question, same in strata[stratum])
        owed += len(drawn) * dev_share
        n_dev = round(owed)
        owed -= n_dev
        for half, part in zip(placed, (drawn[:n_dev], drawn[n_dev:]), strict=True):
            half.extend(((i + 0.5) / len(part), key, same) for i, (key, same) in enumerate(part))
    dev, test = ([i for _, _, same in sorted(half, key=lambda u: u[:2]) for i in same] for half in placed)
    return dev, test


def load_benchmark(name: str, *, data: Path | None = None, seed: int = 0, **options: Any) -> Benchmark:
    """Make the benchmark of a registered name, or of a user's `.jsonl`, `.jsonl.gz` or `.csv` file.

    `data` is the folder that holds `<benchmark>/`; `seed` fixes what is generated.
    Raises `UnknownName` for a name or an option that nothing is known by,
    `ConfigError` for a scorer of what has its own, and `DataError` for a file
    that cannot be read.
    """
    if name.endswith(FILES):
        from compose.evals.jsonl import FileBenchmark

        return _make(FileBenchmark, name, {"path": Path(name), **options}, seed)
    known = names("benchmarks")
    if name not in known:
        hint = "a file of yours ends in .jsonl, .jsonl.gz or .csv" if Path(name).is_file() else None
        raise UnknownName("benchmark", name, known, hint=hint)
    if "scorer" in options:
        raise ConfigError(f"benchmark {name!r} brings its own scorer", hint="another one is for a file of yours")
    cls = find("benchmarks", name)
    if "data" in inspect.signature(cls).parameters:
        options["data"] = data
    return _make(cls, name, options, seed)


def _make(cls: type[Benchmark], name: str, options: dict[str, Any], seed: int) -> Benchmark:
    allowed = inspect.signature(cls).parameters
    for option in options:
        if option not in allowed:
            raise UnknownName("option", option, allowed, where=f"benchmark `{name}`: ")
    return cls(**options, seed=seed)


def data_folder(name: str, data: Path | None) -> Path:
    """The folder of a benchmark: in `data`, else in `COMPOSE_DATA`. Raises `ConfigError` when there is none."""
    roots = [p for p in (data, os.environ.get("COMPOSE_DATA")) if p]
    for root in roots:
        if (folder := Path(root) / name).is_dir():
            return folder
    looked = f"not in {', '.join(str(r) for r in roots)}" if roots else "no data folder is set"
    raise ConfigError(f"benchmark {name!r} needs its files: {looked}", hint=f"--data DIR, where DIR holds {name}/")
