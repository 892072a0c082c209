"""The pipeline: immutable data, joined by `>>` and `|`, a networkx DAG underneath.

A pipeline is a sequence of steps; a step is a technique or parallel branches,
each of which is a pipeline. That tree is the data (it is what files hold), and
`graph` is the DAG that it describes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from compose.errors import ConfigError
from compose.pipeline.node import Technique
from compose.types import Message, Range

if TYPE_CHECKING:
    import networkx as nx

    from compose.models.call import Caller
    from compose.models.ledger import Ledger
    from compose.models.model import Delta
    from compose.pipeline.explain import Explanation
    from compose.pipeline.result import Result
    from compose.pipeline.run import Calls

Question = str | Message | Sequence[Message | dict[str, Any]]


class Parallel(msgspec.Struct, frozen=True):
    """Branches that see the same input; their candidates are concatenated in order."""

    branches: tuple[Pipeline, ...]


class Planned(NamedTuple):
    """One node in running order: its id, its technique and whom it waits for."""

    id: str
    technique: Technique
    parents: tuple[str, ...]


class Pipeline:
    """A graph of techniques. Made by the functions of the DSL, never changed.

    `a >> b`: b sees what a produced. `a | b`: both see the same input, and
    their candidates are concatenated in order. Both are associative. The answer
    is the first candidate of the last state.

    >>> import compose as c
    >>> pipe = (c.generate("gpt-4o-mini", n=5) | c.generate("tiny/s")) >> c.vote()
    >>> [node.id for node in pipe.plan]
    ['generate', 'generate-2', 'vote']
    """

    def __init__(self, steps: Sequence[Technique | Parallel]) -> None:
        self.steps = tuple(steps)

    @classmethod
    def of(cls, technique: Technique) -> Pipeline:
        """The pipeline of one step."""
        return cls((technique,))

    def __rshift__(self, other: object) -> Pipeline:
        if not isinstance(other, Pipeline):
            return NotImplemented
        return Pipeline(self.steps + other.steps)

    def __or__(self, other: object) -> Pipeline:
        if not isinstance(other, Pipeline):
            return NotImplemented
        return Pipeline((Parallel(self._branches() + other._branches()),))

    def _branches(self) -> tuple[Pipeline, ...]:
        if len(self.steps) == 1 and isinstance(self.steps[0], Parallel):
            return self.steps[0].branches
        return (self,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pipeline) and self.steps == other.steps

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return " >> ".join(_show(step) for step in self.steps)

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """The DAG: node ids with the attribute `technique`, edges in merge order."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        _grow(graph, self, (), Counter())
        return graph

    @cached_property
    def plan(self) -> tuple[Planned, ...]:
        """The nodes in an order in which each comes after its parents."""
        import networkx as nx

        graph = self.graph
        return tuple(
            Planned(name, graph.nodes[name]["technique"], tuple(graph.pred[name]))
            for name in nx.topological_sort(graph)
        )

    @cached_property
    def sinks(self) -> tuple[str, ...]:
        """The nodes whose states, merged in order, are the result."""
        return tuple(name for name in self.graph if not self.graph.succ[name])

    @cached_property
    def key(self) -> str:
        """Canonical JSON of the pipeline file: equal pipelines have equal keys."""
        return msgspec.json.encode(self.to_data(), order="deterministic").decode()

    def models(self) -> tuple[str, ...]:
        """The ids of all models that it may call, each once, in order."""
        return tuple(dict.fromkeys(m for node in self.plan for m in node.technique.asks()))

    def check(self) -> Pipeline:
        """Return self, or raise `ConfigError` for a graph that cannot work.

        A step that reads candidates needs a step before it that makes some.
        """
        for node in self.plan:
            if node.technique.needs_candidates and not node.parents:
                raise ConfigError(
                    f"step `{node.id}` reads candidates, and nothing before it makes any",
                    hint="begin with `generate` or `ensemble`",
                )
        return self

    def calls(self) -> Range:
        """Model calls of one run: least, expected, most."""
        return sum((calls for _, calls, _ in self.ranges()), Range.exactly(0))

    def ranges(self) -> list[tuple[Planned, Range, Range]]:
        """Per node its calls and the candidates that come out of it."""
        out: dict[str, Range] = {}
        rows: list[tuple[Planned, Range, Range]] = []
        for node in self.plan:
            inputs = sum((out[p] for p in node.parents), Range.exactly(0))
            out[node.id] = node.technique.outputs(inputs)
            rows.append((node, node.technique.calls(inputs), out[node.id]))
        return rows

    def to_data(self) -> dict[str, Any]:
        """The object of a pipeline file, `{"version": 1, "steps": […]}`."""
        from compose.pipeline.files import to_data

        return to_data(self)

    @staticmethod
    def from_data(data: Any, *, where: str = "") -> Pipeline:
        """The pipeline that such an object describes; raises `ConfigError` naming the place."""
        from compose.pipeline.files import from_data

        return from_data(data, where=where)

    def save(self, path: str | Path) -> Path:
        """Write a pipeline file, YAML or JSON by its suffix."""
        from compose.pipeline.files import save

        return save(self.check(), Path(path))

    def explain(self, question: Question | None = None, *, caller: Caller | None = None) -> Explanation:
        """Steps, calls and dollars of one run before it is run."""
        from compose.pipeline.explain import explain

        return explain(self.check(), question, caller=caller)

    def draw(self) -> str:
        """The graph as Mermaid text."""
        from compose.pipeline.draw import mermaid

        return mermaid(self)

    async def arun(
        self,
        question: Question,
        *,
        caller: Calls | None = None,
        ledger: Ledger | None = None,
        seed: int = 0,
        budget: float | None = None,
        cache: Literal["on", "read", "off"] = "on",
    ) -> Result:
        """Answer a question.

        `caller` shares connections, cache and budget between runs; without one
        the event loop's own is used, or with `budget` (USD) or `cache` a new
        one for this run. Raises `ConfigError` before any call for a graph that
        cannot work, the `ModelError` of a call that failed for good, and
        `BudgetExceeded`.
        """
        from compose.pipeline.result import answer

        return await answer(self, question, caller=caller, ledger=ledger, seed=seed, budget=budget, cache=cache)

    def run(
        self,
        question: Question,
        *,
        seed: int = 0,
        budget: float | None = None,
        cache: Literal["on", "read", "off"] = "on",
    ) -> Result:
        """`arun` for code that is not async; also works inside a running event loop."""
        from compose.pipeline.sync import run_sync

        return run_sync(self.arun(question, seed=seed, budget=budget, cache=cache))

    def astream(
        self, question: Question, *, caller: Calls | None = None, ledger: Ledger | None = None, seed: int = 0
    ) -> AsyncGenerator[Delta]:
        """Yield the answer as it is written; the last delta carries the whole.

        The last step streams where its text is that of one call (`generate`,
        `fuse`); other pipelines yield their answer in one piece.
        """
        from compose.pipeline.stream import stream

        return stream(self, question, caller=caller, ledger=ledger, seed=seed)


def _show(step: Technique | Parallel) -> str:
    if isinstance(step, Parallel):
        return "(" + " | ".join(repr(b) for b in step.branches) + ")"
    data = msgspec.to_builtins(step)
    shown = ", ".join(f"{k}={v!r}" for k, v in data.items() if k != "use")
    return f"{step.name()}({shown})"


def _grow(graph: nx.DiGraph[str], pipeline: Pipeline, sources: tuple[str, ...], named: Counter[str]) -> tuple[str, ...]:
    """Add a pipeline behind `sources`; return the nodes that it ends in."""
    for step in pipeline.steps:
        if isinstance(step, Parallel):
            sources = tuple(end for branch in step.branches for end in _grow(graph, branch, sources, named))
        else:
            name = _free_name(graph, step.name(), named)
            graph.add_node(name, technique=step)
            graph.add_edges_from((source, name) for source in sources)
            sources = (name,)
    return sources


def _free_name(graph: nx.DiGraph[str], name: str, named: Counter[str]) -> str:
    named[name] += 1
    free = name if named[name] == 1 else f"{name}-{named[name]}"
    return _free_name(graph, name, named) if free in graph else free  # a technique may be called `vote-2`
