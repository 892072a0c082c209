"""The result of a run: the answer, what it cost, how it came about."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncGenerator, Callable
from time import perf_counter
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

import msgspec

from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.pipeline.run import Calls, Event, Run, execute
from compose.types import Candidate, State, Usage

if TYPE_CHECKING:
    import pandas as pd

    from compose.models.model import Delta
    from compose.pipeline.graph import Pipeline, Question


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline made of a question.

    `usd` is the list price of its calls, cached or not (`None` if a price is
    unknown); `usd_spent` what this run paid. `trace` has one event per step.
    """

    state: State
    usd: float | None
    usd_spent: float | None
    calls: int
    cached: int
    seconds: float
    usage: Usage
    trace: tuple[Event, ...]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates of the last state, the best first."""
        return self.state.candidates

    @property
    def text(self) -> str:
        """The text of the first candidate; empty if there is none."""
        return self.state.best.text if self.state.best else ""

    @property
    def answer(self) -> str | None:
        """The extracted answer of the first candidate, where a step extracted one."""
        return self.state.best.answer if self.state.best else None

    def to_pandas(self) -> pd.DataFrame:
        """The trace as a data frame, one row a step."""
        import pandas as pd

        return pd.DataFrame([msgspec.to_builtins(event) for event in self.trace])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(e.node)}</td><td>{e.calls}</td><td>{e.cached}</td>"
            f"<td>{_money(e.usd)}</td><td>{e.seconds:.2f}</td></tr>"
            for e in self.trace
        )
        return (
            f"<p style='white-space:pre-wrap'>{html.escape(self.text)}</p><table><thead><tr><th>step</th>"
            f"<th>calls</th><th>cached</th><th>USD</th><th>seconds</th></tr></thead><tbody>{rows}</tbody></table>"
            f"<p>{self.calls} calls ({self.cached} cached), {_money(self.usd)}, {self.seconds:.2f} s</p>"
        )


def _money(usd: float | None) -> str:
    return "unknown price" if usd is None else f"${usd:.6f}"


_callers: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[Caller, None]] = WeakKeyDictionary()
_current: WeakKeyDictionary[asyncio.AbstractEventLoop, Caller] = WeakKeyDictionary()


async def loop_caller() -> Caller:
    """The running loop's own caller, made on first use, closed when the loop shuts down.

    It lives in an async generator, which `asyncio.run` closes at its end.
    """
    loop = asyncio.get_running_loop()
    if loop not in _current:
        lifetime = _lifetime()
        _callers[loop] = lifetime
        _current[loop] = await anext(lifetime)
    return _current[loop]


async def _lifetime() -> AsyncGenerator[Caller, None]:
    async with Caller() as caller:
        yield caller


async def answer(
    pipeline: Pipeline,
    question: Question,
    *,
    caller: Calls | None,
    ledger: Ledger | None = None,
    seed: int,
    budget: float | None = None,
    cache: Literal["on", "read", "off"] = "on",
    on_delta: Callable[[Delta], None] | None = None,
) -> Result:
    """`Pipeline.arun`; `on_delta` is told every piece of the answer where the last step streams."""
    if caller is None and (budget is not None or cache != "on"):
        async with Caller(cache=cache, budget=budget) as own:
            return await answer(pipeline, question, caller=own, ledger=ledger, seed=seed, on_delta=on_delta)
    pipeline.check()
    run = Run(caller or await loop_caller(), Ledger(ledger), seed=seed, on_delta=on_delta)
    state = await execute(pipeline, State.ask(question), run)
    return finish(state, run)


def finish(state: State, run: Run) -> Result:
    """The result of a run that ended in `state`."""
    total = run.ledger.total
    return Result(
        state=state,
        usd=total.usd,
        usd_spent=total.usd_spent,
        calls=total.calls,
        cached=total.cached,
        seconds=perf_counter() - run.began,
        usage=total.usage,
        trace=tuple(run.events),
    )
