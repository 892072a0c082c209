"""What one run will take before it is run: steps, calls, dollars."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import msgspec

from compose.cost import estimate_tokens, price_of
from compose.types import Price, Range, State, Usage

if TYPE_CHECKING:
    from compose.models.call import Caller
    from compose.pipeline.graph import Pipeline, Question

EXPECTED_ANSWER = 300
"""Tokens of a usual answer; the recorded sets have 100 to 600 a model in the mean."""
LONGEST_ANSWER = 4096
"""Tokens taken for the longest answer where a step sets no limit."""


class StepCost(msgspec.Struct, frozen=True):
    """One step: its calls and dollars as ranges; `usd` is None where a price, or what the step calls, is unknown."""

    node: str
    use: str
    models: tuple[str, ...]
    calls: Range
    candidates: Range
    usd: Range | None


class Explanation(msgspec.Struct, frozen=True):
    """The steps of a pipeline and their sums.

    Dollars assume answers of 1, `EXPECTED_ANSWER` and `max_tokens` (or
    `LONGEST_ANSWER`) tokens, and prompts of the question and of the candidates
    that one call reads. The least is what a step costs if the cheapest of its
    models answers every call, the most if the dearest does; expected are calls
    spread evenly over its models.
    """

    steps: tuple[StepCost, ...]
    calls: Range
    usd: Range | None

    def __str__(self) -> str:
        rows = [
            f"{s.node:<14} {_count(s.calls):>10} calls  {_dollars(s.usd):>24}  {', '.join(s.models)}".rstrip()
            for s in self.steps
        ]
        return "\n".join([*rows, f"{'in all':<14} {_count(self.calls):>10} calls  {_dollars(self.usd):>24}"])

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"


def explain(pipeline: Pipeline, question: Question | None, *, caller: Caller | None = None) -> Explanation:
    """`Pipeline.explain`: without a caller prices are unknown, and so are the dollars."""
    asked = estimate_tokens(State.ask(question).messages) if question is not None else 100
    steps: list[StepCost] = []
    came_out: dict[str, Range] = {}
    for node, calls, out in pipeline.ranges():
        came_out[node.id] = out
        read = sum((came_out[p] for p in node.parents), Range.exactly(0))
        prices = [caller.model(m).price if caller else None for m in node.technique.asks()]
        longest = getattr(node.technique, "max_tokens", None) or LONGEST_ANSWER
        reads = node.technique.reads(read)
        usd = _usd(calls, reads, asked, longest, prices) if node.technique.foretold else None
        steps.append(StepCost(node.id, node.technique.name(), node.technique.asks(), calls, out, usd))
    return Explanation(tuple(steps), pipeline.calls(), _sum([s.usd for s in steps]))


def _usd(calls: Range, reads: Range, asked: int, longest: int, prices: list[Price | None]) -> Range | None:
    if calls.high == 0:
        return Range.exactly(0.0)
    if not prices:
        return None
    ends: list[float] = []
    lengths = (
        (min, calls.low, reads.low, 1),
        (fmean, calls.expected, reads.expected, EXPECTED_ANSWER),
        (max, calls.high, reads.high, longest),
    )
    for of_models, count, read, length in lengths:
        usage = Usage(int(asked + read * length), length)
        costs = [price_of(usage, price) for price in prices]
        known = [c for c in costs if c is not None]
        if len(known) < len(costs):
            return None
        ends.append(count * of_models(known))
    return Range(*ends)


def _sum(parts: list[Range | None]) -> Range | None:
    known = [p for p in parts if p is not None]
    return sum(known, Range.exactly(0.0)) if len(known) == len(parts) else None


def _count(calls: Range) -> str:
    return f"{calls.low:g}" if calls.low == calls.high else f"{calls.low:g}–{calls.high:g}"


def _dollars(usd: Range | None) -> str:
    return "unknown" if usd is None else f"${usd.low:.5f}–${usd.high:.5f}, about ${usd.expected:.5f}"
