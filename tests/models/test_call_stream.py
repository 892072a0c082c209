"""Answers piece by piece go through the same links as whole ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from compose.config import Config, ModelConfig
from compose.errors import AuthError, BadResponse, ServerError
from compose.models.cache import Cache
from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.models.model import Delta, Model
from compose.testing.scripted import ScriptedModel
from compose.types import Message, Params, Price, Request, Response, Usage

DOLLAR = Price(input=0.0, output=1e6)
"""One dollar per output token."""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "calls.sqlite")


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.models.call.retry.FIRST_WAIT", 0.001)


def ask(text: str = "hi", *, model: str = "m", max_tokens: int | None = None) -> Request:
    return Request(model, (Message("user", text),), Params(max_tokens=max_tokens))


def caller_of(*models: Model, cache: Cache | None = None, config: Config | None = None, **options: Any) -> Caller:
    caller = Caller(config or Config(), cache=cache, **options)
    for model in models:
        caller.add(model)
    return caller


async def test_a_stream_ends_with_the_whole_and_is_kept(cache: Cache) -> None:
    model = ScriptedModel(script=["one two three"], price=DOLLAR, usage=Usage(0, 1))
    caller, ledger = caller_of(model, cache=cache, budget=1e4), Ledger()
    deltas = [delta async for delta in caller.stream(ask(), ledger)]
    assert [d.text for d in deltas] == ["one", " two", " three", ""]
    assert deltas[-1].response is not None
    assert (ledger.calls, ledger.usd_spent, caller.spent) == (1, 1.0, 1.0)
    again = [delta async for delta in caller.stream(ask(), ledger)]
    assert again[-1].response is not None
    assert again[-1].response.cached
    assert "".join(d.text for d in again) == "one two three"
    assert (await caller.call(ask(), ledger)).cached


async def test_a_stream_is_tried_again_before_its_first_piece() -> None:
    model = ScriptedModel(script=[ServerError("down", model="m"), "fine"])
    deltas = [delta async for delta in caller_of(model).stream(ask(), Ledger())]
    assert deltas[0].text == "fine"


class Slow(ScriptedModel):
    """Streams words, and waits for `go` before all but the first."""

    def __init__(self, id: str = "m", error: Exception | None = None, **options: Any) -> None:
        super().__init__(id, **options)
        self.go = asyncio.Event()
        self.error = error

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        async for delta in super().stream(request):
            yield delta
            await self.go.wait()
            if self.error is not None:
                raise self.error


async def first_of(stream: AsyncGenerator[Delta]) -> str:
    """The first piece of a stream that is then left."""
    async with aclosing(stream):
        return (await anext(stream)).text


async def whole(stream: AsyncGenerator[Delta]) -> Response:
    """The response of a stream."""
    *_, last = [delta async for delta in stream]
    assert last.response is not None
    return last.response


async def test_a_stream_left_early_frees_what_it_held_and_costs_what_came() -> None:
    model = Slow(script=["one two three"], price=DOLLAR)
    caller, ledger = caller_of(model, budget=11.0, concurrency=1), Ledger()
    assert await first_of(caller.stream(ask(max_tokens=10), ledger)) == "one"
    assert (ledger.calls, ledger.usd_spent, caller.spent, ledger.usage.estimated) == (1, 1.0, 1.0, True)
    assert ledger.usage.prompt_tokens > 0
    assert (await caller.call(ask("next", max_tokens=10), ledger)).text == "answer 0"


async def test_a_stream_left_early_that_was_finished_already_costs_the_whole(cache: Cache) -> None:
    caller, ledger = caller_of(ScriptedModel(price=DOLLAR, usage=Usage(0, 3)), cache=cache), Ledger()
    assert await first_of(caller.stream(ask(), ledger)) == "answer"
    assert (ledger.calls, ledger.usd_spent, caller.spent) == (1, 3.0, 3.0)
    assert (await caller.call(ask(), ledger)).cached


async def test_a_stream_that_breaks_off_costs_what_came() -> None:
    model = Slow(script=["one two"], price=DOLLAR, error=BadResponse("broke off", model="m"))
    model.go.set()
    caller, ledger = caller_of(model, budget=11.0), Ledger()
    with pytest.raises(BadResponse):
        await whole(caller.stream(ask(max_tokens=10), ledger))
    assert (len(model.requests), ledger.usd_spent, caller.spent) == (1, 1.0, 1.0)


async def test_a_stream_falls_back_before_its_first_piece_and_not_after() -> None:
    config = Config(models={name: ModelConfig(fallbacks=("b", "c")) for name in ("m", "slow")})
    slow = Slow("slow", error=BadResponse("broke off", model="slow"))
    slow.go.set()
    failing = ScriptedModel(answer=lambda r: AuthError("no", model="m"))
    second = ScriptedModel("b", answer=lambda r: AuthError("no", model="b"))
    third = ScriptedModel("c")
    caller, ledger = caller_of(failing, slow, second, third, config=config), Ledger()
    assert (await whole(caller.stream(ask(), ledger))).model == "c"
    assert list(ledger.by_model()) == ["c"]
    with pytest.raises(BadResponse):
        await whole(caller.stream(ask(model="slow"), ledger))
    third.script.append(AuthError("down", model="c"))
    with pytest.raises(AuthError, match="m: no") as caught:
        await whole(caller.stream(ask("other"), ledger))
    assert caught.value.__notes__ == ["fallback b: no", "fallback c: down"]


async def test_equal_streams_and_calls_at_once_are_one_call(cache: Cache) -> None:
    model = ScriptedModel(latency=0.01, price=DOLLAR, usage=Usage(0, 1))
    caller, ledger = caller_of(model, cache=cache), Ledger()
    streams = [whole(caller.stream(ask(), ledger)) for _ in range(3)]
    responses = await asyncio.gather(*streams, caller.call(ask(), ledger))
    assert len(model.requests) == 1
    assert sum(r.cached for r in responses) == 3
    assert (ledger.calls, ledger.usd_spent, caller.spent) == (4, 1.0, 1.0)


async def test_a_stream_that_others_wait_for_goes_on_when_it_is_left() -> None:
    model = Slow(script=["one two"], price=DOLLAR, usage=Usage(0, 2))
    caller, ledger = caller_of(model), Ledger()
    stream = caller.stream(ask(), ledger)
    await anext(stream)
    waiting = asyncio.create_task(caller.call(ask(), ledger))
    await asyncio.sleep(0)
    await stream.aclose()
    model.go.set()
    assert (await waiting).text == "one two"
    assert (len(model.requests), ledger.calls, ledger.usd_spent) == (1, 1, 2.0)


async def test_a_stream_that_is_left_by_all_who_waited_for_it_costs_what_came() -> None:
    caller, ledger = caller_of(Slow(script=["one two"], price=DOLLAR)), Ledger()
    stream = caller.stream(ask(), ledger)
    await anext(stream)
    waiting = asyncio.create_task(caller.call(ask(), ledger))
    await asyncio.sleep(0)
    await stream.aclose()
    waiting.cancel()
    await asyncio.wait((waiting,))
    assert (ledger.calls, ledger.usd_spent, caller.spent) == (1, 1.0, 1.0)


async def test_a_cancelled_stream_ends_the_call() -> None:
    model = ScriptedModel(latency=10)
    caller = caller_of(model, concurrency=1)
    task = asyncio.create_task(whole(caller.stream(ask(), Ledger())))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (model.cancelled, model.in_flight) == (1, 0)
    model.latency = 0
    assert (await caller.call(ask(), Ledger())).text == "answer 0"
