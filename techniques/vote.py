"""Self-consistency: the most frequent answer among several wins.

Paper: Wang et al., 2022, arXiv:2203.11171, section 2.
Calls: none of its own; it reads the candidates of the step before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from compose.pipeline.answer import Kind, canonical, extract
from compose.pipeline.node import Context, Technique, step
from compose.types import Candidate, Range, State


class Group(list[Candidate]):
    """Candidates that gave the same answer, in the order in which they came."""


class Vote(Technique, frozen=True, kw_only=True, tag="vote"):
    """Keep one candidate of the largest group of equal answers.

    Ties go to the group whose members were given the higher score, then to the
    earlier one. The candidate kept is the group's best scored, else its first;
    its `score` becomes the group's share of the votes. Candidates without an
    answer do not vote; if none has one, the state passes unchanged and the
    trace says so.

    >>> import compose as c
    >>> c.generate("tiny/s", n=5) >> c.vote(answer="number")
    generate(model='tiny/s', n=5) >> vote(answer='number')
    """

    paper: ClassVar[str] = "arXiv:2203.11171"

    answer: Kind = "auto"
    """How an answer is read from a candidate's text."""
    weight: Literal["count", "score", "logprob"] = "count"
    """What a candidate's voice counts: one, its score, or the probability of its mean token."""

    async def run(self, state: State, ctx: Context) -> State:
        """Count the voices."""
        groups = group_by_answer(state.candidates, self.answer)
        if not groups:
            ctx.note("no candidate had an answer to vote on")
            return state
        total = sum(map(self._strength, groups)) or 1.0
        winner = max(groups, key=lambda g: (self._strength(g), sum(c.score or 0.0 for c in g)))
        best = max(winner, key=lambda c: c.score or 0.0)
        return state.keep(best.but(score=self._strength(winner) / total))

    def _strength(self, group: Group) -> float:
        return sum(self._voice(candidate) for candidate in group)

    def _voice(self, candidate: Candidate) -> float:
        if self.weight == "score":
            return candidate.score or 0.0
        if self.weight == "logprob":
            tokens = [t["logprob"] for t in candidate.logprobs or ()]
            return math.exp(sum(tokens) / len(tokens)) if tokens else 0.0
        return 1.0

    def calls(self, inputs: Range) -> Range:
        """None."""
        return Range.exactly(0)

    def outputs(self, inputs: Range) -> Range:
        """One."""
        return Range.exactly(1)


def group_by_answer(candidates: Sequence[Candidate], kind: Kind) -> list[Group]:
    """Candidates by equal answer, each with its `answer` filled, groups in order of appearance."""
    groups: dict[str, Group] = {}
    for candidate in candidates:
        answer = candidate.answer if candidate.answer is not None else extract(candidate.text, kind)
        if answer is not None:
            groups.setdefault(canonical(answer, kind), Group()).append(candidate.but(answer=answer))
    return list(groups.values())


vote = step(Vote)
