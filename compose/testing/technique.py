"""What every technique must do, as tests: subclass `TechniqueCase` and name yours.

    class TestVote(TechniqueCase):
        technique = Vote()

The cases run the technique on a real loopback server through a real caller.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any, ClassVar

import msgspec

from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.pipeline.graph import Pipeline
from compose.pipeline.node import Technique, build
from compose.pipeline.run import NodeContext, Run
from compose.testing.server import FakeServer, Reply
from compose.types import Candidate, Message, Range, State

QUESTION = State((Message("user", "What is 3 + 4?"),))
ANSWERS = (Candidate("It is 7. Answer: 7", "a"), Candidate("Answer: 8", "b"), Candidate("Answer: 7", "c"))
MODEL = "MODEL"
"""Stands in a technique's settings for the id of the loopback server's model."""


class TechniqueCase:
    """The contract of a technique. `technique` is an instance; its models are all `MODEL`."""

    technique: ClassVar[Technique]

    async def run_on(self, state: State, answer: str = "Answer: 7") -> tuple[State, Ledger, list[str]]:
        """Run the technique against a server that always gives `answer`."""

        def reply(_: dict[str, Any]) -> Reply:
            return Reply(text=answer)

        async with FakeServer(answer=reply) as server, Caller(cache="off") as caller:
            run = Run(caller, Ledger(), seed=1)
            context = NodeContext(run, "node", state)
            result = await self._for(server).run(state, context)
            return result, context.ledger, context.notes

    def _for(self, server: FakeServer) -> Technique:
        """The technique with `MODEL` replaced by the server's model."""
        text = msgspec.json.encode(self.technique).decode().replace(f'"{MODEL}"', f'"{server.id()}"')
        return msgspec.json.decode(text, type=type(self.technique))

    def start(self) -> State:
        """A state that the technique can work on."""
        return QUESTION.keep(*ANSWERS) if self.technique.needs_candidates else QUESTION

    async def test_it_makes_the_calls_that_it_says(self) -> None:
        """`calls` bounds the calls made, and `outputs` the candidates that come out."""
        state = self.start()
        result, ledger, _ = await self.run_on(state)
        inputs = Range.exactly(len(state.candidates))
        calls, outputs = self.technique.calls(inputs), self.technique.outputs(inputs)
        assert calls.low <= ledger.calls <= calls.high
        assert outputs.low <= len(result.candidates) <= outputs.high

    async def test_it_leaves_its_input_alone(self) -> None:
        """The state that goes in is the same afterwards, and the conversation goes through."""
        state = self.start()
        before = msgspec.json.encode(state)
        result, _, _ = await self.run_on(state)
        assert msgspec.json.encode(state) == before
        assert result.messages == state.messages

    async def test_nonsense_and_nothing_are_survived(self) -> None:
        """A model that answers with nothing or with nonsense is no crash."""
        for answer in ("", "\x00", "[99] > [0]", "Score: many", "{" * 300, "🙂" * 50):
            result, _, _ = await self.run_on(self.start(), answer)
            assert isinstance(result, State)

    async def test_no_candidates_are_survived(self) -> None:
        """A state whose candidates were all dropped is no crash."""
        if self.technique.needs_candidates:
            result, _, _ = await self.run_on(QUESTION)
            assert result.candidates == ()

    def test_it_can_be_rebuilt_from_its_record(self) -> None:
        """Settings to plain data and back give the same technique."""
        plain = msgspec.to_builtins(self.technique)
        assert plain.pop("use") == self.technique.name()
        assert build(type(self.technique), plain) == self.technique
        assert Pipeline.of(self.technique).key == Pipeline.of(build(type(self.technique), plain)).key

    def test_it_is_documented(self) -> None:
        """The class and each of its settings have a docstring, the module names the calls it makes."""
        cls = type(self.technique)
        assert (cls.__doc__ or "").strip()
        module = inspect.getmodule(cls)
        assert module is not None
        assert "Calls:" in (module.__doc__ or "")
        for parent in cls.__mro__:
            if parent is not Technique and issubclass(parent, Technique):
                assert not undocumented(parent), f"{parent.__name__}: {undocumented(parent)}"


def undocumented(cls: type[Technique]) -> list[str]:
    """The settings that a class declares without a text under them."""
    [body] = [n for n in ast.parse(textwrap.dedent(inspect.getsource(cls))).body if isinstance(n, ast.ClassDef)]
    names: list[str] = []
    for declared, following in zip(body.body, [*body.body[1:], None], strict=False):
        if not isinstance(declared, ast.AnnAssign) or "ClassVar" in ast.unparse(declared.annotation):
            continue
        text = following.value if isinstance(following, ast.Expr) else None
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            names.append(ast.unparse(declared.target))
    return names
