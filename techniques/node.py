"""Node: a Python function of yours as a step.

Calls: what the function makes; a pipeline cannot know before it runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import ClassVar

from compose.errors import UnknownName
from compose.pipeline.graph import Pipeline
from compose.pipeline.node import Context, Technique
from compose.types import Range, State

Function = Callable[[State, Context], Awaitable[State]]
_functions: dict[str, Function] = {}


class Node(Technique, frozen=True, kw_only=True, tag="node"):
    """Run a function that this process has made a step with `node`.

    A pipeline file names the function and nothing else: no code is imported
    for a file, so one that names an unknown function is refused as it loads.
    """

    needs_candidates: ClassVar[bool] = False
    foretold: ClassVar[bool] = False

    function: str
    """The function's name, `module.name`."""

    def __post_init__(self) -> None:
        if self.function not in _functions:
            raise UnknownName(
                "function of `node`", self.function, _functions, hint="import the module that makes it a step first"
            )

    async def run(self, state: State, ctx: Context) -> State:
        """Call the function."""
        return await _functions[self.function](state, ctx)

    def calls(self, inputs: Range) -> Range:
        """Unknown, so none are counted."""
        return Range.exactly(0)


def _numbered(name: str) -> Iterator[str]:
    return (name if i == 1 else f"{name}-{i}" for i in count(1))


def node(function: Function) -> Pipeline:
    """Make a step of `async def function(state, ctx) -> State`; works as a decorator.

    >>> import compose as c
    >>> @c.node
    ... async def shout(state, ctx):
    ...     return state.keep(*(x.but(text=x.text.upper()) for x in state.candidates))
    >>> pipe = c.generate("tiny/s") >> shout
    """
    name = f"{function.__module__}.{function.__qualname__}"
    if "<locals>" in name:  # each call of the function around it makes another one
        name = next(n for n in _numbered(name) if _functions.get(n, function) is function)
    _functions[name] = function
    return Pipeline.of(Node(function=name))
