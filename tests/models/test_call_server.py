"""The chain against a real server on loopback: what a bad server does, one clear error says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from compose.config import Config, ModelConfig
from compose.errors import (
    AuthError,
    BadResponse,
    CallTimeout,
    ContextOverflow,
    ModelError,
    RateLimited,
    ServerError,
    Unreachable,
)
from compose.models.cache import Cache
from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.testing.server import FakeServer, Reply
from compose.types import Message, Params, Price, Request, Response

pytestmark = pytest.mark.server


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.models.call.retry.FIRST_WAIT", 0.001)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as server:
        yield server


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def until(holds: Callable[[], bool]) -> None:
    """Give the server's side of a connection a moment to notice."""
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.005)


def ask(server: FakeServer, text: str = "hi", sample: int = 0) -> Request:
    return Request(server.id(), (Message("user", text),), Params(max_tokens=5), sample)


async def test_samples_are_requests_and_a_second_run_makes_none(server: FakeServer, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "calls.sqlite")
    for _ in range(2):
        async with Caller(Config(), cache=cache) as caller:
            await asyncio.gather(*(caller.call(ask(server, sample=i), Ledger()) for i in range(5)))
    assert server.count == 5


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=429), RateLimited),
        (Reply(status=500), ServerError),
        (Reply(status=503), ServerError),
        (Reply(fault="half"), BadResponse),
        (Reply(fault="invalid"), BadResponse),
        (Reply(fault="empty"), BadResponse),
        (Reply(fault="close"), ModelError),
        (Reply(fault="hang"), CallTimeout),
    ],
)
async def test_what_a_server_does_wrong_once_is_overcome(
    server: FakeServer, reply: Reply, error: type[ModelError]
) -> None:
    server.script = [reply]
    async with Caller(Config(), cache="off", timeout=0.2) as caller:
        assert (await caller.call(ask(server), Ledger())).text == "ok"
        server.script = [reply]
        assert server.count == 2
    server.script = [reply]
    async with Caller(Config(), cache="off", timeout=0.2, retries=0) as caller:
        with pytest.raises(error) as caught:
            await caller.call(ask(server), Ledger())
    assert server.id() in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401), AuthError),
        (Reply(status=400, error="maximum context length is 8192 tokens"), ContextOverflow),
        (Reply(status=404), ModelError),
    ],
)
async def test_what_will_not_get_better_is_asked_once(
    server: FakeServer, reply: Reply, error: type[ModelError]
) -> None:
    server.script = [reply]
    async with Caller(Config(), cache="off") as caller:
        with pytest.raises(error):
            await caller.call(ask(server), Ledger())
    assert server.count == 1


async def test_the_servers_wish_to_wait_is_respected(server: FakeServer) -> None:
    server.script = [Reply(status=429, retry_after="0.2")]
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with Caller(Config(), cache="off") as caller:
        await caller.call(ask(server), Ledger())
    assert loop.time() - start >= 0.19


async def test_nobody_there() -> None:
    async with FakeServer() as gone:
        pass
    async with Caller(Config(), cache="off", retries=1) as caller:
        with pytest.raises(Unreachable, match="no connection"):
            await caller.call(ask(gone), Ledger())


async def test_cancellation_reaches_the_server(server: FakeServer) -> None:
    server.script = [Reply(fault="hang") for _ in range(3)]
    async with Caller(Config(), cache="off") as caller:
        tasks = [asyncio.create_task(caller.call(ask(server, f"q{i}"), Ledger())) for i in range(3)]
        await until(lambda: server.in_flight == 3)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await until(lambda: server.cancelled == 3)
        assert (server.cancelled, server.in_flight) == (3, 0)
        assert (await caller.call(ask(server), Ledger())).text == "ok"


async def test_a_budget_holds_over_a_server_that_fails_and_a_fallback(server: FakeServer) -> None:
    price = Price(input=0.0, output=1e6)
    async with FakeServer(answer=lambda asked: "one two three") as second:
        config = Config(
            models={
                server.id(): ModelConfig(price=price, fallbacks=(second.id(),)),
                second.id(): ModelConfig(price=price),
            }
        )
        server.script = [Reply(status=500) for _ in range(40)]
        ledger = Ledger()
        async with Caller(config, cache="off", budget=31.0, retries=1) as caller:
            calls = (caller.call(ask(server, f"q{i}"), ledger) for i in range(20))
            results = await asyncio.gather(*calls, return_exceptions=True)
        answered = [r for r in results if isinstance(r, Response)]
        assert answered
        assert caller.spent == ledger.usd_spent == sum(r.usd or 0 for r in answered) <= 31.0
        assert {r.model for r in answered} == {second.id()}


async def test_a_key_goes_to_the_server_and_nowhere_else(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE_KEY", "sk-hush-hush-123")
    config = Config(models={server.id(): ModelConfig(api_key_env="MINE_KEY")})
    cache = Cache(tmp_path / "calls.sqlite")
    async with Caller(config, cache=cache, retries=0) as caller:
        await caller.call(ask(server), Ledger())
        server.script = [Reply(status=401, error="bad key sk-hush-hush-123")]
        with pytest.raises(AuthError) as caught:
            await caller.call(ask(server, "other"), Ledger())
    assert server.requests[0].headers["Authorization"] == "Bearer sk-hush-hush-123"
    assert "hush" not in f"{caught.value} {caught.value.hint} {caught.value!r}"
    cache.close()
    assert b"hush" not in content(tmp_path)


async def test_a_name_of_the_configuration_is_the_model_it_stands_for(server: FakeServer, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "calls.sqlite")
    price = Price(input=0.0, output=1e6)
    config = Config(models={"mine": ModelConfig(id=server.id(), price=price, params=Params(max_tokens=5))})
    async with Caller(config, cache=cache) as caller:
        named = await caller.call(Request("mine", (Message("user", "hi"),)), Ledger())
        direct = await caller.call(ask(server), Ledger())
    assert (named.model, named.usd, direct.cached) == (server.id(), 1.0, True)
    assert server.count == 1
