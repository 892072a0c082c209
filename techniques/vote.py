"""Self-consistency: the most frequent answer among several wins.

Paper: Wang et al., 2022, arXiv:2203.11171, section 2; `logprob` is its equation 1.
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
    trace says so. Those without what `weight` reads have no voice; where none
    has it, each counts one, and the trace says so.

    >>> import compose as c
    >>> c.generate("tiny/s", n=5) >> c.vote(answer="number")
    generate(model='tiny/s', n=5) >> vote(answer='number')
    """

    paper: ClassVar[str] = "arXiv:2203.11171"

    answer: Kind = "auto"
    """How an answer is read from a candidate's text."""
    weight: Literal["count", "score", "logprob"] = "count"
    """What a voice counts: one, the score, or the probability of a mean token (from steps with `logprobs: true`)."""

    async def run(self, state: State, ctx: Context) -> State:
        """Count the voices."""
        groups = group_by_answer(state.candidates, self.answer)
        if not groups:
            ctx.note("no candidate had an answer to vote on")
            return state
        heard = self._heard(groups, ctx)
        strengths = [sum((self._read(c) or 0.0) if heard else 1.0 for c in group) for group in groups]
        most = max(range(len(groups)), key=lambda i: (strengths[i], sum(c.score or 0.0 for c in groups[i])))
        best = max(groups[most], key=lambda c: c.score or 0.0)
        return state.keep(best.but(score=strengths[most] / (sum(strengths) or 1.0)))

    def _heard(self, groups: Sequence[Group], ctx: Context) -> bool:
        """Whether anyone has what `weight` reads; says in the trace who has not."""
        voters = [candidate for group in groups for candidate in group]
        silent = sum(self._read(candidate) is None for candidate in voters)
        if silent == len(voters):
            ctx.note(f"no candidate had a {self.weight}, so each counts one")
        elif silent:
            ctx.note(f"{silent} of {len(voters)} candidates had no {self.weight} and no voice")
        return silent < len(voters)

    def _read(self, candidate: Candidate) -> float | None:
        if self.weight == "count":
            return 1.0
        return candidate.score if self.weight == "score" else mean_probability(candidate)

    def calls(self, inputs: Range) -> Range:
        """None."""
        return Range.exactly(0)

    def outputs(self, inputs: Range) -> Range:
        """One; all of them if none has an answer."""
        return Range(min(1, inputs.low), min(1, inputs.expected), inputs.high)


def mean_probability(candidate: Candidate) -> float | None:
    """The geometric mean of the probabilities of a candidate's tokens; None where they are unknown."""
    tokens = [token.get("logprob") for token in candidate.logprobs or ()]
    known = [value for value in tokens if isinstance(value, int | float)]
    return math.exp(min(0.0, sum(known) / len(known))) if known else None


def group_by_answer(candidates: Sequence[Candidate], kind: Kind) -> list[Group]:
    """Candidates by equal answer, each with its `answer` filled, groups in order of appearance."""
    groups: dict[str, Group] = {}
    for candidate in candidates:
        answer = candidate.answer if candidate.answer is not None else extract(candidate.text, kind)
        if answer is not None:
            groups.setdefault(canonical(answer, kind), Group()).append(candidate.but(answer=answer))
    return list(groups.values())


vote = step(Vote)
