"""Generate: ask one model, once or several times.

Paper: the sampling step of self-consistency, Wang et al., 2022, arXiv:2203.11171,
section 2; Archon's generator, Saad-Falcon et al., 2024, arXiv:2409.15254, section 3.1.
Calls: n.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from compose.pipeline.node import Context, ModelTechnique, step
from compose.techniques._system import with_system
from compose.types import Candidate, Range, State


class Generate(ModelTechnique, frozen=True, kw_only=True, tag="generate"):
    """Draw `n` samples of a model's answer to the conversation.

    The candidates of the step before, if there are any, are replaced.

    >>> import compose as c
    >>> c.generate("gpt-4o-mini", n=5, temperature=0.8)
    generate(model='gpt-4o-mini', n=5, temperature=0.8)
    """

    paper: ClassVar[str] = "arXiv:2203.11171"
    needs_candidates: ClassVar[bool] = False

    n: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    """Samples to draw."""
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    """Sampling temperature; unset is the provider's default."""
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    """Nucleus of the distribution that is sampled from."""
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most tokens of one answer."""
    stop: tuple[str, ...] | None = None
    """Texts that end an answer."""
    seed: int | None = None
    """Seed sent to the provider."""
    effort: str | None = None
    """Reasoning effort, for models that have one."""
    system: str | None = None
    """A system message put before the conversation, or at the head of its own."""
    logprobs: bool = False
    """Ask for each token's log probability, which `vote(weight="logprob")` reads."""
    response_format: dict[str, Any] | None = None
    """Structured output, in OpenAI's form."""
    tools: tuple[dict[str, Any], ...] | None = None
    """Tools the model may call, in OpenAI's form."""
    tool_choice: str | dict[str, Any] | None = None
    """Which tool to call, in OpenAI's form."""

    @property
    def streams(self) -> bool:
        """One sample can be streamed."""
        return self.n == 1

    async def run(self, state: State, ctx: Context) -> State:
        """Ask and keep every answer as a candidate, in sample order."""
        messages = state.messages if self.system is None else with_system(self.system, state.messages)
        responses = await ctx.call(
            self.model,
            messages,
            n=self.n,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            stop=self.stop,
            seed=self.seed,
            effort=self.effort,
            logprobs=self.logprobs,
            response_format=self.response_format,
            tools=self.tools,
            tool_choice=self.tool_choice,
        )
        return state.keep(*map(Candidate.of, responses))

    def calls(self, inputs: Range) -> Range:
        """`n`."""
        return Range.exactly(self.n)

    def outputs(self, inputs: Range) -> Range:
        """`n`."""
        return Range.exactly(self.n)


generate = step(Generate)
