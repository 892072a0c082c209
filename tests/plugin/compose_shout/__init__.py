"""A technique and a benchmark from outside the repository.

Calls: none.
"""

from __future__ import annotations

from collections.abc import Iterable

from compose.evals.benchmark import Benchmark, Item
from compose.pipeline.node import Context, Technique
from compose.types import Message, Range, State


class Shout(Technique, frozen=True, kw_only=True, tag="shout"):
    """Write every candidate in capitals."""

    marks: int = 1
    """Exclamation marks to add."""

    async def run(self, state: State, ctx: Context) -> State:
        """Shout."""
        return state.keep(*(c.but(text=c.text.upper() + "!" * self.marks) for c in state.candidates))

    def calls(self, inputs: Range) -> Range:
        """None."""
        return Range.exactly(0)


class TinySums(Benchmark):
    """Two sums."""

    name = "tiny_sums"
    answer = "number"
    scoring = "number"

    def read(self) -> Iterable[Item]:
        """Yield both."""
        for a, b in ((1, 1), (2, 2)):
            yield Item(f"{a}+{b}", (Message("user", f"{a} + {b} ="),), str(a + b))
