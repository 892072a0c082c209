"""What steps that look at each candidate on its own share: one call each, all at once."""

from __future__ import annotations

from typing import Annotated

import msgspec

from compose.pipeline.fence import fenced
from compose.pipeline.node import Context, ModelTechnique, at_once
from compose.types import Message, Range, State


class PerCandidate(ModelTechnique, frozen=True, kw_only=True):
    """A step that asks its model once about each candidate."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    """Sampling temperature; unset is the provider's default."""
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most tokens of one look."""

    async def look(self, prompt: str, state: State, ctx: Context) -> list[str]:
        """What the model says of each candidate, in order; `prompt` has `{question}` and `{answer}`, each fenced in."""
        replies = await at_once(
            ctx.call(
                self.model,
                [Message("user", prompt.format(question=fenced(state.question), answer=fenced(candidate.text)))],
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            )
            for candidate in state.candidates
        )
        return [reply.text for [reply] in replies]

    def calls(self, inputs: Range) -> Range:
        """One for each candidate."""
        return inputs

    def reads(self, inputs: Range) -> Range:
        """One."""
        return Range.exactly(1)
