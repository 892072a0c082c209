"""Cascade: ask models one after another until enough of them agree.

Paper: answer consistency as the stopping rule of a cascade, Yue et al., 2023,
arXiv:2310.03094, section 2; the order from cheap to strong is FrugalGPT's,
Chen et al., 2023, arXiv:2305.05176, section 3.
Calls: from the least number that can agree to `n` for each model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import msgspec

from compose.pipeline.answer import Kind, canonical, extract
from compose.pipeline.node import Context, ModelsTechnique, at_once, step
from compose.types import Candidate, Range, State


class Cascade(ModelsTechnique, frozen=True, kw_only=True, tag="cascade"):
    """Ask models in order until `agree` samples gave the same answer; keep that one.

    The first models, as many as it takes to make agreement possible, are asked
    at once; after that one model at a time. Samples without an answer agree
    with nobody. Without agreement, `final` decides.

    >>> import compose as c
    >>> c.cascade(["gpt-4o-mini", "claude-3-haiku", "gpt-4o"], agree=2, final="last")
    cascade(models=['gpt-4o-mini', 'claude-3-haiku', 'gpt-4o'], final='last')
    """

    paper: ClassVar[str] = "arXiv:2310.03094"
    needs_candidates: ClassVar[bool] = False

    agree: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    """Equal answers that end the search."""
    n: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """Samples of each model."""
    answer: Kind = "auto"
    """How an answer is read from a text."""
    final: Literal["vote", "last"] = "vote"
    """Without agreement: the most frequent answer (ties to the later model), or the last model's."""
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    """Sampling temperature; unset is the provider's default."""
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most tokens of one answer."""

    async def run(self, state: State, ctx: Context) -> State:
        """Climb until enough agree."""
        seen: list[Candidate] = []
        asked = self._at_once()
        for stage in (self.models[:asked], *([model] for model in self.models[asked:])):
            seen += await self._ask(stage, state, ctx)
            votes = self._votes(seen)
            if votes and len(max(votes.values(), key=len)) >= self.agree:
                break
        else:
            ctx.note(f"no {self.agree} of {len(seen)} answers agreed")
        return state.keep(self._choose(seen))

    def _at_once(self) -> int:
        """How many models it takes until `agree` samples are there."""
        return min(len(self.models), -(-self.agree // self.n))

    async def _ask(self, models: Sequence[str], state: State, ctx: Context) -> list[Candidate]:
        drawn = await at_once(
            ctx.call(model, state.messages, n=self.n, temperature=self.temperature, max_tokens=self.max_tokens)
            for model in models
        )
        return [
            Candidate.of(response).but(answer=extract(response.text, self.answer))
            for responses in drawn
            for response in responses
        ]

    def _votes(self, seen: Sequence[Candidate]) -> dict[str, list[Candidate]]:
        votes: dict[str, list[Candidate]] = {}
        for candidate in seen:
            if candidate.answer is not None:
                votes.setdefault(canonical(candidate.answer, self.answer), []).append(candidate)
        return votes

    def _choose(self, seen: Sequence[Candidate]) -> Candidate:
        """The agreed answer as the latest, strongest model put it; else what `final` says."""
        votes = self._votes(seen)
        if not votes:
            return seen[-1]
        place = {id(candidate): i for i, candidate in enumerate(seen)}
        largest = max(votes.values(), key=lambda group: (len(group), place[id(group[-1])]))
        agreed = len(largest) >= self.agree
        if not agreed and self.final == "last":
            return seen[-1]
        return largest[-1].but(score=len(largest) / len(seen))

    def calls(self, inputs: Range) -> Range:
        """From the models asked at once to all of them."""
        low, high = self._at_once() * self.n, len(self.models) * self.n
        return Range(low, (low + high) / 2, high)

    def outputs(self, inputs: Range) -> Range:
        """One."""
        return Range.exactly(1)


cascade = step(Cascade)
