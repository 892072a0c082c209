"""Ensemble: ask several models the same question at once.

Paper: the proposer layer of Mixture-of-Agents, Wang et al., 2024, arXiv:2406.04692,
section 2.2; Archon, Saad-Falcon et al., 2024, arXiv:2409.15254, section 3.1.
Calls: n for each model.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from compose.pipeline.node import Context, ModelsTechnique, at_once, step
from compose.types import Candidate, Range, State


class Ensemble(ModelsTechnique, frozen=True, kw_only=True, tag="ensemble"):
    """Draw `n` samples of each model; candidates stand in the models' order.

    The same as `generate(a) | generate(b) | …`, as one step that search can edit.

    >>> import compose as c
    >>> c.ensemble(["gpt-4o-mini", "tiny/s"])
    ensemble(models=['gpt-4o-mini', 'tiny/s'])
    """

    paper: ClassVar[str] = "arXiv:2406.04692"
    needs_candidates: ClassVar[bool] = False

    n: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    """Samples of each."""
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    """Sampling temperature; unset is the provider's default."""
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most tokens of one answer."""
    logprobs: bool = False
    """Ask for each token's log probability, which `vote(weight="logprob")` reads."""

    async def run(self, state: State, ctx: Context) -> State:
        """Ask all models at once."""
        drawn = await at_once(
            ctx.call(
                model,
                state.messages,
                n=self.n,
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                logprobs=self.logprobs,
            )
            for model in self.models
        )
        return state.keep(*(Candidate.of(response) for responses in drawn for response in responses))

    def calls(self, inputs: Range) -> Range:
        """`n` for each model."""
        return Range.exactly(self.n * len(self.models))

    def outputs(self, inputs: Range) -> Range:
        """`n` for each model."""
        return Range.exactly(self.n * len(self.models))


ensemble = step(Ensemble)
