"""Right if the answer equals the target, whatever form either has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compose.pipeline.answer import Kind, equal, extract

if TYPE_CHECKING:
    from compose.evals.benchmark import Item
    from compose.evals.scorers import Scored
    from compose.pipeline.node import Context


class Exact:
    """1 for an answer that equals the target, or one of the targets of a list.

    The answer is read from the text, and only if the text has none is the one
    taken that the pipeline settled on.
    """

    kind: Kind = "auto"

    async def score(self, item: Item, result: Scored, ctx: Context) -> float:
        """A mark of 0 or 1."""
        answer = extract(result.text, self.kind)
        if answer is None:
            answer = result.answer
        if answer is None:
            return 0.0
        return float(any(equal(answer, target, self.kind) for target in targets(item)))


def targets(item: Item) -> list[str]:
    """The accepted answers of an item as texts; a list in the data is a list of alternatives."""
    many: list[object] = item.target if isinstance(item.target, list) else [item.target]
    return [t if isinstance(t, str) else repr(t) if isinstance(t, float) else str(t) for t in many]
