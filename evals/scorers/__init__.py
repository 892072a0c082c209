"""What a scorer is: it gives a result a mark from 0 to 1."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol, cast

from compose.errors import ConfigError, UnknownName
from compose.registry import find

if TYPE_CHECKING:
    from compose.evals.benchmark import Item
    from compose.pipeline.node import Context


class Scored(Protocol):
    """The part of a pipeline's result that a scorer reads."""

    @property
    def text(self) -> str:
        """The text of the best candidate."""
        ...

    @property
    def answer(self) -> str | None:
        """The answer that the pipeline itself settled on, if any."""
        ...


class Scorer(Protocol):
    """Marks one result. `ctx` is the door to models, for scorers that ask one."""

    async def score(self, item: Item, result: Scored, ctx: Context) -> float:
        """A mark from 0 (wrong) to 1 (right)."""
        ...


def make(name: str, **settings: Any) -> Scorer:
    """Make the scorer of a registered name; `judge:MODEL` names the judge's model beside it.

    Raises `UnknownName` for a name or a setting that there is not, `ConfigError` for one that is missing.
    """
    name, _, model = name.partition(":")
    if model:
        settings["model"] = model
    cls = find("scorers", name)
    allowed = inspect.signature(cls).parameters
    for setting in settings:
        if setting not in allowed:
            raise UnknownName(f"setting of scorer `{name}`", setting, allowed)
    for setting, declared in allowed.items():
        if setting not in settings and declared.default is declared.empty:
            raise ConfigError(f"scorer {name!r} needs `{setting}`", hint=f"write it as {name}:{setting.upper()}")
    return cast("Scorer", cls(**settings))
