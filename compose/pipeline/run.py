"""The runner: a short loop that starts each node when its parents are done.

It knows no technique by name and charges nothing. Its wall time is the critical
path: every node is a task of one task group, so a failure or a cancellation
reaches every call under way.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from compose.errors import BadResponse
from compose.models.ledger import Ledger
from compose.pipeline.node import at_once, call_params, first_error
from compose.types import Message, Params, Request, Response, State

if TYPE_CHECKING:
    from compose.models.model import Delta
    from compose.pipeline.graph import Pipeline, Planned


class Calls(Protocol):
    """What a run needs of a `Caller`, or of one that stands before it."""

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """Answer one sample and account for it in `ledger` under `node`."""
        ...

    def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """Answer one sample piece by piece; the last delta carries the response."""
        ...


class Event(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One step as it went: when, how long (seconds), how many calls, what came out."""

    node: str
    technique: str
    started: float
    """Seconds after the run began."""
    seconds: float
    calls: int = 0
    cached: int = 0
    usd: float | None = None
    candidates: int = 0
    notes: tuple[str, ...] = ()
    error: str | None = None


class Run:
    """What the nodes of one run share: the caller, the draws so far, the trace."""

    def __init__(
        self,
        caller: Calls,
        ledger: Ledger,
        *,
        seed: int = 0,
        on_delta: Callable[[Delta], None] | None = None,
    ) -> None:
        self.caller = caller
        self.ledger = ledger
        self.seed = seed
        self.on_delta = on_delta
        self.began = perf_counter()
        self.events: list[Event] = []
        self._drawn: Counter[Hashable] = Counter()

    def draw(self, model: str, messages: tuple[Message, ...], params: Params, n: int) -> range:
        """Reserve the next `n` sample indices of a request within this run."""
        key: Hashable = (model, messages, params)
        try:
            first = self._drawn[key]
        except TypeError:  # tools and content parts are objects, which have no hash
            key = msgspec.json.encode(key)
            first = self._drawn[key]
        self._drawn[key] = first + n
        return range(first, first + n)


class NodeContext:
    """The `Context` of one node in one run."""

    def __init__(self, run: Run, node: str, state: State, *, streams: bool = False) -> None:
        self._run = run
        self._node = node
        self._state = state
        self._streams = streams
        self.ledger = Ledger(run.ledger)
        self.notes: list[str] = []
        self._rng: random.Random | None = None

    @property
    def rng(self) -> random.Random:
        """Seeded from the run's seed, the node and the question."""
        if self._rng is None:
            self._rng = random.Random(f"{self._run.seed}:{self._node}:{self._state.question}")
        return self._rng

    def note(self, text: str) -> None:
        """Add a line to this step's event."""
        self.notes.append(text)

    async def call(self, model: str, messages: Sequence[Message], *, n: int = 1, **params: Any) -> list[Response]:
        """Draw `n` samples at once; see `Context.call`."""
        asked = tuple(messages)
        settings = call_params(params)
        run = self._run
        requests = [Request(model, asked, settings, sample) for sample in run.draw(model, asked, settings, n)]
        if self._streams and n == 1:
            return [await self._stream(requests[0])]
        if n == 1:
            return [await run.caller.call(requests[0], self.ledger, node=self._node)]
        return await at_once(run.caller.call(r, self.ledger, node=self._node) for r in requests)

    async def _stream(self, request: Request) -> Response:
        response: Response | None = None
        async for delta in self._run.caller.stream(request, self.ledger, node=self._node):
            response = delta.response or response
            if self._run.on_delta and delta.text:
                self._run.on_delta(delta)
        if response is None:
            raise BadResponse("the stream ended without a response", model=request.model)
        return response


async def execute(pipeline: Pipeline, state: State, run: Run) -> State:
    """Run a pipeline on a state; events are appended to `run.events` as steps end."""
    plan = pipeline.plan
    try:
        if all(len(node.parents) <= 1 for node in plan) and len(pipeline.sinks) == 1:
            for node in plan:  # a plain sequence needs no tasks
                state = await _step(node, state, run, last=node is plan[-1])
            return state
        tasks: dict[str, asyncio.Task[State]] = {}
        async with asyncio.TaskGroup() as group:
            for node in plan:
                parents = [tasks[p] for p in node.parents]
                last = (node.id,) == pipeline.sinks
                tasks[node.id] = group.create_task(_after(parents, node, state, run, last=last))
        return State.merge(tasks[sink].result() for sink in pipeline.sinks)
    except BaseExceptionGroup as error:
        raise first_error(error) from error


async def _after(parents: list[asyncio.Task[State]], node: Planned, start: State, run: Run, *, last: bool) -> State:
    states = [await parent for parent in parents]
    return await _step(node, State.merge(states) if states else start, run, last=last)


async def _step(node: Planned, state: State, run: Run, *, last: bool) -> State:
    technique = node.technique
    context = NodeContext(run, node.id, state, streams=last and run.on_delta is not None and technique.streams)
    began = perf_counter()
    try:
        result = await technique.run(state, context)
    except BaseException as error:
        cause = first_error(error)
        run.events.append(_event(node, context, run, began, error=str(cause) or type(cause).__name__))
        raise
    run.events.append(_event(node, context, run, began, candidates=len(result.candidates)))
    return result


def _event(
    node: Planned, context: NodeContext, run: Run, began: float, *, candidates: int = 0, error: str | None = None
) -> Event:
    total = context.ledger.total
    return Event(
        node=node.id,
        technique=node.technique.name(),
        started=began - run.began,
        seconds=perf_counter() - began,
        calls=total.calls,
        cached=total.cached,
        usd=total.usd,
        candidates=candidates,
        notes=tuple(context.notes),
        error=error,
    )
