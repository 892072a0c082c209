"""Right if the answer equals the target, whatever form either has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from compose.pipeline.answer import Kind, equal, extract

if TYPE_CHECKING:
    from compose.evals.benchmark import Item
    from compose.evals.scorers import Scored
    from compose.pipeline.node import Context


class Exact:
    """1 for an answer that equals the target, or one of the targets of a list.

    The answer is read from the text; only if the text states none is the one
    taken that the pipeline settled on. A text that as a whole is the target
    counts too.
    """

    kind: Kind = "auto"

    async def score(self, item: Item, result: Scored, ctx: Context) -> float:
        """A mark of 0 or 1; 0 for an item without a target."""
        return float(self.right(item, result.text, result.answer))

    def right(self, item: Item, text: str, settled: str | None = None) -> bool:
        """Whether a text is right for an item."""
        answer = extract(text, self.kind)
        if answer is None:
            answer = settled
        whole = text.strip()
        return any(
            (answer is not None and equal(answer, target, self.kind)) or whole == target for target in targets(item)
        )


def targets(item: Item) -> list[str]:
    """The accepted answers of an item as texts; a list in the data is a list of alternatives."""
    given: Any = item.target
    many = cast("list[Any]", given) if isinstance(given, list) else [given]
    return [_text(target) for target in many if target is not None]


def _text(target: Any) -> str:
    if isinstance(target, float) and target.is_integer() and abs(target) < 1e15:
        return str(int(target))
    return str(target)
