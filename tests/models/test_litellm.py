"""LiteLLM for real, against a loopback server named in the configuration."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, cast

import pytest

from compose.config import Config, ModelConfig
from compose.errors import (
    AuthError,
    BadResponse,
    ComposeError,
    ConfigError,
    ContextOverflow,
    ModelError,
    RateLimited,
    ServerError,
    Unreachable,
)
from compose.models.model import Delta
from compose.models.providers.litellm import (
    LiteLLM,
    _library,  # pyright: ignore[reportPrivateUsage]  # what happens at import is seen nowhere else
)
from compose.models.resolve import resolve
from compose.testing.server import FakeServer, Reply
from compose.types import Json, Message, Params, Price, Request

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
"""LiteLLM's and its clients' own."""
ID = "openai/test-model"


def configured(server: FakeServer, **settings: Any) -> Config:
    return Config(models={ID: ModelConfig(base_url=server.url, **settings)})


async def one(*script: Reply | str, **params: Any) -> Any:
    async with FakeServer(script=script) as server:
        model = resolve(ID, configured(server))
        try:
            return await model.complete(Request(ID, (Message("user", "hi"),), Params(**params)))
        finally:
            await model.aclose()
            assert server.count == 1


@pytest.mark.timeout(120)
async def test_answers_without_a_key_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    async with FakeServer(script=["hello"]) as server:
        model = resolve(ID, configured(server, price=Price(input=1.0, output=2.0)))
        response = await model.complete(Request(ID, (Message("user", "hi"),), Params(temperature=0.5, max_tokens=7)))
        await model.aclose()
    logged = server.requests[0]
    assert response.text == "hello"
    assert response.usd == pytest.approx(3e-6)
    assert response.usage.completion_tokens == 1
    assert "somebody-else" not in logged.headers["Authorization"]
    assert (logged.body["model"], logged.body["temperature"], logged.body["max_tokens"]) == ("test-model", 0.5, 7)
    assert "litellm" in sys.modules


async def test_a_named_key_is_sent_and_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeServer() as server:
        model = resolve(ID, configured(server, api_key_env="MINE_KEY"))
        request = Request(ID, (Message("user", "hi"),))
        with pytest.raises(AuthError, match="MINE_KEY is not set"):
            await model.complete(request)
        monkeypatch.setenv("MINE_KEY", "my-key")
        await model.complete(request)
        await model.aclose()
    assert server.requests[0].headers["Authorization"] == "Bearer my-key"


FAILURES: list[tuple[Reply, type[ComposeError]]] = [
    (Reply(status=401), AuthError),
    (Reply(status=429, retry_after="3"), RateLimited),
    (Reply(status=500), ServerError),
    (Reply(status=503), ServerError),
    (Reply(status=400, error="This model's maximum context length is 12 tokens"), ContextOverflow),
    (Reply(status=400, error="no such parameter"), ModelError),
    (Reply(status=404, error="no such model"), ModelError),
    (Reply(fault="empty"), BadResponse),
]


@pytest.mark.parametrize(("reply", "kind"), FAILURES)
async def test_each_failure_has_our_error_and_is_tried_once(reply: Reply, kind: type[ComposeError]) -> None:
    with pytest.raises(kind) as caught:
        await one(reply)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(ID)
    assert "litellm" not in str(caught.value)
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 3.0


@pytest.mark.parametrize("fault", ["half", "invalid", "close"])
async def test_an_answer_that_is_none_can_be_tried_again(fault: Any) -> None:
    with pytest.raises(ModelError) as caught:
        await one(Reply(fault=fault))
    assert caught.value.retryable


async def test_no_server_is_unreachable() -> None:
    async with FakeServer() as server:
        model = resolve(ID, configured(server))
    with pytest.raises(Unreachable):
        await model.complete(Request(ID, (Message("user", "hi"),)))


async def test_tools_and_formats_go_through() -> None:
    tool: Json = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    call: Json = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message: Json = {"role": "assistant", "content": None, "tool_calls": [call]}
    async with FakeServer(script=[Reply(message=message)]) as server:
        model = resolve(ID, configured(server))
        params = Params(tools=(tool,), response_format={"type": "json_object"})
        response = await model.complete(Request(ID, (Message("user", "hi"),), params))
        await model.aclose()
    assert server.requests[0].body["tools"] == [tool]
    assert server.requests[0].body["response_format"] == {"type": "json_object"}
    assert response.tool_calls is not None
    assert response.tool_calls[0]["function"]["name"] == "f"


async def test_streams() -> None:
    async with FakeServer(script=["one two"]) as server:
        model = resolve(ID, configured(server))
        *texts, last = [d async for d in model.stream(Request(ID, (Message("user", "hi"),)))]
        await model.aclose()
    assert "".join(d.text for d in texts) == "one two"
    assert last.response is not None
    assert last.response.usage.completion_tokens == 2


async def test_a_stream_that_was_left_is_closed() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One piece, then nothing until the client hangs up."""
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"
        writer.write(head + b'data: {"choices": [{"index": 0, "delta": {"content": "one"}}]}\n\n')
        with suppress(ConnectionError):
            while await reader.read(1 << 16):
                pass
        writer.close()
        gone.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        model = LiteLLM(ID, base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        stream = model.stream(Request(ID, (Message("user", "hi"),)))
        async with aclosing(cast("AsyncGenerator[Delta]", stream)) as left:
            assert (await anext(left)).text == "one"
        async with asyncio.timeout(10):
            await gone.wait()


async def test_what_the_table_says_a_model_refuses_is_refused_by_name() -> None:
    model = resolve("o3-mini", Config())
    picture = Message("user", [{"type": "image_url", "image_url": {"url": "data:,"}}])
    for request, what in (
        (Request("o3-mini", (picture,)), "image parts"),
        (Request("o3-mini", (Message("user", "hi"),), Params(temperature=0.5)), "temperature"),
        (Request("o3-mini", (Message("user", "hi"),), Params(grammar="root ::= 'a'")), "grammar"),
    ):
        with pytest.raises(ConfigError, match=f"o3-mini does not take {what}"):
            await model.complete(request)


def test_prices_come_from_the_table_and_unknown_ones_are_none() -> None:
    mini = resolve("gpt-4o-mini", Config()).price
    assert mini is not None
    assert (mini.input, mini.output, mini.cached) == pytest.approx((0.15, 0.6, 0.075))
    assert "LiteLLM" in mini.source
    assert resolve("openai/gpt-4o-mini", Config()).price == mini
    assert resolve(ID, Config()).price is None


@pytest.mark.parametrize("provider", ["ollama", "lm_studio", "hosted_vllm", "github", "litellm_proxy", "cohere"])
def test_a_model_of_another_provider_has_no_price_of_its_namesake(provider: str) -> None:
    assert resolve(f"{provider}/gpt-4o", Config()).price is None


@pytest.mark.parametrize("id", ["anthropic/claude-haiku-4-5", "vertex_ai/gemini-2.5-flash", "cohere/command-a-03-2025"])
def test_a_provider_asks_for_its_own_models_what_the_table_says(id: str) -> None:
    price = resolve(id, Config()).price
    assert price is not None
    assert price == resolve(id.partition("/")[2], Config()).price


@pytest.mark.timeout(120)
def test_the_package_is_made_quiet_once() -> None:
    library = _library()
    with warnings.catch_warnings():
        warnings.resetwarnings()
        assert _library() is library
        assert warnings.filters == []


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> None:
        assert name == "litellm"

    monkeypatch.setattr("compose.models.providers.litellm.find_spec", nowhere)
    with pytest.raises(ConfigError) as caught:
        LiteLLM.make("gpt-4o-mini", Config(), None)
    assert caught.value.hint == "pip install 'compose-llm[litellm]'"
