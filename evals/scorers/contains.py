"""Right if the text contains the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compose.evals.scorers.exact import targets

if TYPE_CHECKING:
    from compose.evals.benchmark import Item
    from compose.evals.scorers import Scored
    from compose.pipeline.answer import Kind
    from compose.pipeline.node import Context


class Contains:
    """1 if the text contains the target, or with `every` all targets of a list; case and spacing aside."""

    kind: Kind = "text"

    def __init__(self, *, every: bool = False) -> None:
        self.every = every

    async def score(self, item: Item, result: Scored, ctx: Context) -> float:
        """A mark of 0 or 1."""
        text = _folded(result.text)
        found = [_folded(target) in text for target in targets(item)]
        return float(bool(found) and (all(found) if self.every else any(found)))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
