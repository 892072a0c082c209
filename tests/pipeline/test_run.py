"""The runner: concurrency, cancellation, accounts, the sync edge, streaming."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

import compose as c
from compose.errors import BadResponse, BudgetExceeded, ModelError
from compose.models.ledger import Ledger
from compose.models.model import Delta
from compose.pipeline.node import Context
from compose.testing.server import FakeServer, Reply
from compose.types import Request, State


async def test_parallel_branches_run_at_once_and_merge_in_order() -> None:
    def answer(asked: dict[str, Any]) -> Reply:
        slow = asked["model"] == "slow"
        return Reply(text=asked["model"], latency=0.4 if slow else 0.3)

    async with FakeServer(answer=answer) as s, c.Caller(cache="off") as caller:
        pipe = c.generate(s.id("slow"), n=2) | c.generate(s.id("b")) | c.generate(s.id("d"))
        r = await pipe.arun("x", caller=caller)
        assert s.most == 4
    assert [x.text for x in r.candidates] == ["slow", "slow", "b", "d"]
    assert r.text == "slow"


async def test_a_node_starts_when_its_own_parents_are_done() -> None:
    """The short branch does not wait for the long one: its second call overlaps the first's."""
    order: list[str] = []

    def answer(asked: dict[str, Any]) -> Reply:
        order.append(asked["model"])
        return Reply(text="x", latency=0.3 if asked["model"] == "long" else 0.0)

    async with FakeServer(answer=answer) as s, c.Caller(cache="off") as caller:
        pipe = (c.generate(s.id("long")) | (c.generate(s.id("short")) >> c.critique(s.id("after")))) >> c.fuse(
            s.id("f")
        )
        await pipe.arun("x", caller=caller)
        assert s.most == 2
    assert order[-1] == "f"
    assert set(order[:3]) == {"long", "short", "after"}


async def test_equal_steps_draw_different_samples_and_equal_runs_the_same_ones() -> None:
    count = iter(range(100))
    async with FakeServer(answer=lambda _: f"answer {next(count)}") as s, c.Caller() as caller:
        pipe = c.generate(s.id(), n=2) | c.generate(s.id(), n=3)
        first = await pipe.arun("x", caller=caller)
        again = await pipe.arun("x", caller=caller)
        assert s.count == 5
    texts = [x.text for x in first.candidates]
    assert len(set(texts)) == 5
    assert [x.text for x in again.candidates] == texts
    assert (first.cached, again.cached) == (0, 5)


async def test_cancelling_a_run_hangs_up_every_call() -> None:
    async with FakeServer(answer=lambda _: Reply(fault="hang")) as s, c.Caller(cache="off") as caller:
        pipe = c.generate(s.id("a"), n=3) | c.generate(s.id("b"))
        task = asyncio.ensure_future(pipe.arun("x", caller=caller))
        while s.in_flight < 4:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while s.in_flight:
            await asyncio.sleep(0.01)
        assert s.cancelled == 4


async def test_one_failure_cancels_the_rest() -> None:
    def answer(asked: dict[str, Any]) -> Reply:
        return Reply(status=401) if asked["model"] == "bad" else Reply(fault="hang")

    async with FakeServer(answer=answer) as s, c.Caller(cache="off") as caller:
        with pytest.raises(c.ModelError):
            await (c.generate(s.id("slow")) | c.generate(s.id("bad"))).arun("x", caller=caller)
        while s.in_flight:
            await asyncio.sleep(0.01)
        assert s.cancelled == 1


async def test_the_trace_has_an_event_for_every_step_also_for_the_one_that_failed() -> None:
    from compose.pipeline.run import Run, execute
    from compose.types import State

    def answer(asked: dict[str, Any]) -> Reply:
        return Reply(status=401, error="no") if asked["model"] == "bad" else Reply()

    async with FakeServer(answer=answer) as s, c.Caller(cache="off") as caller:
        run = Run(caller, Ledger())
        with pytest.raises(c.ModelError):
            await execute(c.generate(s.id("a")) >> c.fuse(s.id("bad")), State.ask("x"), run)
    assert [e.node for e in run.events] == ["generate", "fuse"]
    assert run.events[0].error is None
    assert "no" in (run.events[1].error or "")


async def test_an_unknown_price_is_none_and_never_zero() -> None:
    async with FakeServer() as s, c.Caller(cache="off") as caller:
        r = await c.generate(s.id()).arun("x", caller=caller)
    assert r.usd is None
    assert r.usd_spent is None
    assert "unknown price" in r._repr_html_()  # pyright: ignore[reportPrivateUsage] - the protocol of notebooks


async def test_a_ledger_given_by_the_caller_counts_several_runs() -> None:
    ledger = Ledger()
    async with FakeServer() as s, c.Caller(cache="off") as caller:
        for question in "xyz":
            await c.generate(s.id("a"), n=2).arun(question, caller=caller, ledger=ledger)
    assert ledger.calls == 6
    assert ledger.by_node()["generate"].calls == 6


async def test_run_works_inside_a_running_loop_and_equals_arun() -> None:
    async with FakeServer(answer=lambda _: "same") as s:
        outside = await asyncio.to_thread(lambda: c.generate(s.id()).run("x", cache="off").text)
        awaited = (await c.generate(s.id()).arun("x", cache="off")).text
    assert outside == awaited == "same"


async def test_run_is_called_from_a_coroutine(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook cell: `run` blocks, and does not complain of the running loop."""
    monkeypatch.setenv("COMPOSE_DATA", str(data))
    r = c.generate("replay/zeroeval_gsm/gpt-4o-2024-08-06").run(_first_prompt(data))
    assert '"answer"' in r.text
    assert r.usd is not None
    assert 0 < r.usd < 0.01


def _first_prompt(data: Path) -> str:
    with gzip.open(data / "zeroeval_gsm/items.jsonl.gz", "rt") as lines:
        return json.loads(next(lines))["prompt"]


async def test_stream_ends_with_the_whole_and_streams_the_last_step() -> None:
    async with FakeServer(answer=lambda _: "one two three") as s, c.Caller(cache="off") as caller:
        pieces = [d async for d in c.generate(s.id()).astream("x", caller=caller)]
        fused = [d async for d in (c.generate(s.id(), n=2) >> c.fuse(s.id())).astream("x", caller=caller)]
        voted = [d async for d in (c.generate(s.id(), n=2) >> c.vote()).astream("x", caller=caller)]
    for deltas in (pieces, fused, voted):
        assert "".join(d.text for d in deltas) == "one two three"
        assert deltas[-1].response is not None
        assert deltas[-1].response.text == "one two three"
    assert len(voted) == 1


async def test_leaving_a_stream_early_hangs_up() -> None:
    endless = Reply(text="word " * 200_000)  # more than the buffers between hold
    async with FakeServer(answer=lambda _: endless) as s, c.Caller(cache="off") as caller:
        stream = c.generate(s.id()).astream("x", caller=caller)
        async for _ in stream:
            break
        await stream.aclose()
        await s.until(lambda: s.in_flight == 0)
        assert s.cancelled == 1


async def test_a_budget_stops_a_run_before_the_call_that_would_pass_it(data: Path) -> None:
    pipe = c.ensemble([f"replay/zeroeval_gsm/{m}" for m in ("gpt-4o-2024-08-06", "claude-3-5-sonnet-20241022")])
    async with c.Caller(data=data, budget=1e-9) as caller:
        with pytest.raises(BudgetExceeded) as caught:
            await pipe.arun(_first_prompt(data), caller=caller)
    assert caught.value.exit_status == 4


async def test_result_shows_itself() -> None:
    async with FakeServer(answer=lambda _: "<b>7</b>") as s, c.Caller(cache="off") as caller:
        r = await (c.generate(s.id(), n=2) >> c.rank(s.id())).arun("x", caller=caller)
    page = r._repr_html_()  # pyright: ignore[reportPrivateUsage] - the protocol of notebooks
    assert "<b>7</b>" not in page
    assert "&lt;b&gt;7" in page
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    frame = r.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    rows: Any = frame
    assert list(rows["node"]) == ["generate", "rank"]


FORKED = """
import os
import signal
import compose as c

@c.node
async def step(state, ctx):
    return state

assert step.run("x").calls == 0
child = os.fork()
if not child:
    signal.alarm(20)  # a child that hangs ends with its test
    step.run("x")
    raise SystemExit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
step.run("x")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_run_works_in_a_forked_child_and_in_its_parent_after() -> None:
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=30)


def test_run_inside_a_step_is_refused_and_does_not_hang() -> None:
    from compose import types

    @c.node
    async def nested(state: types.State, ctx: object) -> types.State:
        c.generate("local/none").run("x")
        return state

    with pytest.raises(c.ConfigError, match="inside a step"):
        nested.run("x")


async def test_a_step_of_several_calls_can_catch_their_error() -> None:
    @c.node
    async def careful(state: State, ctx: Context) -> State:
        try:
            await ctx.call(s.id(), state.messages, n=3)
        except ModelError:
            ctx.note("nobody answered")
        return state

    async with FakeServer(answer=lambda _: Reply(status=401)) as s, c.Caller(cache="off") as caller:
        r = await careful.arun("x", caller=caller)
    assert r.trace[0].notes == ("nobody answered",)


class Endless:
    """Stands before a caller and swallows the end of every stream."""

    def __init__(self, caller: c.Caller) -> None:
        self.call = caller.call
        self._caller = caller

    async def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        async for delta in self._caller.stream(request, ledger, node=node):
            if delta.response is None:
                yield delta


async def test_a_stream_without_its_end_is_an_error() -> None:
    async with FakeServer(answer=lambda _: "one two") as s, c.Caller(cache="off") as caller:
        with pytest.raises(BadResponse, match="without a response"):
            async for _ in c.generate(s.id()).astream("x", caller=Endless(caller)):
                pass
