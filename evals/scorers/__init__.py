"""What a scorer is: it gives a result a mark from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

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
