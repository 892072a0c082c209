"""Evaluating: marks, money, errors, limits, and what is kept when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from compose.config import Config
from compose.errors import BadResponse, BudgetExceeded, ConfigError, ContextOverflow, UnknownName
from compose.evals.benchmark import Benchmark, Item
from compose.evals.evaluate import Evaluation, evaluate
from compose.evals.jsonl import from_frame
from compose.models.call import Caller
from compose.pipeline.graph import Pipeline
from compose.techniques.generate import Generate, generate
from compose.testing.scripted import ScriptedModel
from compose.testing.server import FakeServer, Reply
from compose.types import Json, Message, Price, Request, Response, Usage

PIPE = Pipeline.of(Generate(model="m", max_tokens=10))
CENT = Price(input=0.0, output=1000.0)
"""One cent for the ten tokens of an answer."""


class Doubles(Benchmark):
    """What is twice i?"""

    name = "doubles"
    answer = "number"
    scoring = "number"

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def read(self) -> list[Item]:
        return [
            Item(str(i), (Message("user", f"twice {i}?"),), str(2 * i), {"even": str(i % 2 == 0)})
            for i in range(self.n)
        ]


def asked(request: Request) -> int:
    return int(request.messages[-1].text.split()[1].rstrip("?"))


def right_below(limit: int) -> Callable[[Request], str]:
    return lambda r: f"Answer: {2 * asked(r) if asked(r) < limit else -1}"


async def test_marks_money_and_groups(caller_of: Callable[..., Caller]) -> None:
    benchmark = Doubles(10)
    model = ScriptedModel("m", answer=right_below(5), price=CENT)
    seen: list[tuple[str, float]] = []
    found = await evaluate(
        PIPE, benchmark, benchmark.items(), caller_of(model), on_item=lambda i, s, r: seen.append((i.id, s))
    )
    assert found.scores == {str(i): float(i < 5) for i in range(10)} == dict(seen)
    assert found.quality.mean == 0.5
    assert found.usd_per_item == pytest.approx(0.01)
    assert found.usd_total == found.ledger.usd == pytest.approx(0.1)
    assert found.by_group(benchmark.items()) == {
        "even=False": {"n": 5, "mean": 0.4},
        "even=True": {"n": 5, "mean": 0.6},
    }
    assert found.ledger.calls == 10
    assert found.judging.calls == 0
    assert found.errors == {}
    assert found.latency_s(0.5) is not None


async def test_an_unknown_price_is_none_not_zero(caller_of: Callable[..., Caller]) -> None:
    benchmark = Doubles(3)
    found = await evaluate(PIPE, benchmark, benchmark.items(), caller_of(ScriptedModel("m")))
    assert found.usd_total is None
    assert found.usd_per_item is None


async def test_a_failed_item_is_marked_0_and_its_error_kept(caller_of: Callable[..., Caller]) -> None:
    def answer(request: Request) -> str | Exception:
        return ContextOverflow("too long", model="m") if asked(request) == 3 else f"Answer: {2 * asked(request)}"

    benchmark = Doubles(6)
    found = await evaluate(PIPE, benchmark, benchmark.items(), caller_of(ScriptedModel("m", answer=answer)))
    assert found.scores == {str(i): float(i != 3) for i in range(6)}
    assert list(found.errors) == ["3"]
    assert isinstance(found.errors["3"], ContextOverflow)
    with pytest.raises(ContextOverflow):
        await evaluate(PIPE, benchmark, benchmark.items(), caller_of(ScriptedModel("m", answer=answer)), errors="raise")


async def test_the_items_in_flight_are_bounded(caller_of: Callable[..., Caller]) -> None:
    benchmark = Doubles(30)
    model = ScriptedModel("m", answer=right_below(30), latency=0.005)
    await evaluate(PIPE, benchmark, benchmark.items(), caller_of(model), in_flight=4)
    assert model.most == 4
    assert len(model.requests) == 30


async def test_a_used_up_budget_is_raised_and_what_was_finished_is_kept(caller_of: Callable[..., Caller]) -> None:
    benchmark = Doubles(20)
    model = ScriptedModel("m", answer=right_below(20), price=CENT)
    kept = Evaluation()
    with pytest.raises(BudgetExceeded):
        await evaluate(PIPE, benchmark, benchmark.items(), caller_of(model, budget=0.055), into=kept, in_flight=2)
    assert kept.scores == {str(i): 1.0 for i in range(5)}
    assert kept.usd_total == pytest.approx(0.05)


async def test_cancelling_reaches_the_calls_and_what_was_finished_is_kept(caller_of: Callable[..., Caller]) -> None:
    class Slow(ScriptedModel):
        async def complete(self, request: Request) -> Response:
            self.latency = 0.0 if asked(request) < 3 else 60.0
            return await super().complete(request)

    benchmark = Doubles(8)
    model = Slow("m", answer=right_below(8), usage=Usage(1, 1))
    kept = Evaluation()
    done = asyncio.Event()
    task = asyncio.create_task(
        evaluate(
            PIPE,
            benchmark,
            benchmark.items(),
            caller_of(model),
            into=kept,
            on_item=lambda i, s, r: done.set() if len(kept.scores) == 3 else None,
        )
    )
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert set(kept.scores) == {"0", "1", "2"}
    assert model.in_flight == 0


async def test_a_mistake_in_the_configuration_stops_at_once(caller_of: Callable[..., Caller]) -> None:
    benchmark = Doubles(5)
    pipe = Pipeline.of(Generate(model="replay/none/m"))
    with pytest.raises((ConfigError, UnknownName)):
        await evaluate(pipe, benchmark, benchmark.items(), caller_of(ScriptedModel("m")))


async def test_no_items_is_an_empty_evaluation(caller_of: Callable[..., Caller]) -> None:
    found = await evaluate(PIPE, Doubles(1), [], caller_of(ScriptedModel("m")))
    assert found.scores == {}
    assert found.usd_per_item is None
    assert found.latency_s(0.5) is None


async def test_it_is_a_table_with_a_row_an_item(caller_of: Callable[..., Caller]) -> None:
    pytest.importorskip("pandas", reason="needs pandas")

    def answer(request: Request) -> str | Exception:
        return ContextOverflow("too long", model="m") if asked(request) == 1 else f"Answer: {2 * asked(request)}"

    benchmark = Doubles(3)
    found = await evaluate(PIPE, benchmark, benchmark.items(), caller_of(ScriptedModel("m", answer=answer)))
    frame: Any = found.to_pandas()
    rows = {row["id"]: row for row in frame.to_dict("records")}
    assert [rows[i]["score"] for i in "012"] == [1.0, 0.0, 1.0]
    assert "too long" in rows["1"]["error"]
    assert "3 items" in found._repr_html_()  # pyright: ignore[reportPrivateUsage] - the protocol of notebooks


async def test_a_judge_that_gives_no_mark_is_asked_again_and_then_fails_that_item_alone() -> None:
    def judge(asked: Json) -> Reply:
        text = asked["messages"][-1]["content"]
        return Reply(text="I refuse." if "riddle" in text else "Mark: 10" if judged.count > 4 else "Hm.")

    frame = pd.DataFrame({"id": ["a", "b"], "prompt": ["riddle", "fine"]})
    async with FakeServer() as system, FakeServer(answer=judge) as judged, Caller(Config(), cache="off") as caller:
        benchmark = from_frame(frame, scorer="judge", model=judged.id())
        found = await evaluate(generate(system.id()), benchmark, benchmark.items(), caller, in_flight=1)
    assert found.scores == {"a": 0.0, "b": 1.0}
    assert list(found.errors) == ["a"]
    assert isinstance(found.errors["a"], BadResponse)
    assert judged.count == found.judging.calls == 5
