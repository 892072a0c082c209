"""Fuse: a model reads all candidates and writes one better answer.

Paper: the aggregator of Mixture-of-Agents, Wang et al., 2024, arXiv:2406.04692,
section 2.2; Archon's fuser, Saad-Falcon et al., 2024, arXiv:2409.15254, section 3.1.
Calls: n.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from compose.pipeline.node import Context, ModelTechnique, step
from compose.types import Candidate, Message, Range, State

PROMPT = """\
Several assistants answered the user's last message. Their answers stand below.
Judge them with care: some may be wrong or one-sided. Then write the one answer that the user
should get: correct, complete and clear, in the form that the user asked for. Do not speak of
the other answers.

{answers}
"""


class Fuse(ModelTechnique, frozen=True, kw_only=True, tag="fuse"):
    """Write `n` new candidates from those of the step before, which become their parents.

    The conversation is kept as it is; the candidates, with their critiques,
    stand in a system message before it.

    >>> import compose as c
    >>> c.ensemble(["tiny/xs", "tiny/s"]) >> c.fuse("tiny/m")
    ensemble(models=['tiny/xs', 'tiny/s']) >> fuse(model='tiny/m')
    """

    paper: ClassVar[str] = "arXiv:2406.04692"

    n: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    """Answers to write."""
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    """Sampling temperature; unset is the provider's default."""
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most tokens of the answer."""

    @property
    def streams(self) -> bool:
        """One answer can be streamed."""
        return self.n == 1

    async def run(self, state: State, ctx: Context) -> State:
        """Ask for the one answer."""
        if not state.candidates:
            ctx.note("there were no candidates to fuse")
            return state
        answers = "\n\n".join(
            f"Answer {i}:\n{c.text}" + (f"\nCritique of answer {i}:\n{c.critique}" if c.critique else "")
            for i, c in enumerate(state.candidates, 1)
        )
        messages = (Message("system", PROMPT.format(answers=answers)), *state.messages)
        responses = await ctx.call(
            self.model, messages, n=self.n, temperature=self.temperature, max_tokens=self.max_tokens
        )
        parents = tuple(c.text for c in state.candidates)
        return state.keep(*(Candidate.of(r).but(parents=parents) for r in responses))

    def calls(self, inputs: Range) -> Range:
        """`n`."""
        return Range.exactly(self.n)

    def outputs(self, inputs: Range) -> Range:
        """`n`."""
        return Range.exactly(self.n)


fuse = step(Fuse)
