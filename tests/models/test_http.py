"""The HTTP provider against a real loopback server, for each way to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import msgspec
import pytest

from compose.config import Config, ModelConfig
from compose.errors import (
    AuthError,
    BadResponse,
    CallTimeout,
    ComposeError,
    ConfigError,
    ContextOverflow,
    ModelError,
    RateLimited,
    ServerError,
    Unreachable,
)
from compose.models.cache import Cache
from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.models.model import Delta, Model
from compose.models.providers import chat
from compose.models.providers.http import Http
from compose.models.providers.sse import MAX_EVENT, events
from compose.models.resolve import resolve
from compose.testing.server import FakeServer, Reply
from compose.types import Json, Message, Params, Price, Request


def ask(model: Model, text: str = "hi", **params: Any) -> Request:
    return Request(model.id, (Message("user", text),), Params(**params))


async def one(*script: Reply | str, **params: Any) -> Any:
    """What a model makes of one scripted reply."""
    async with FakeServer(script=script) as server:
        model = resolve(server.id(), Config())
        try:
            return await model.complete(ask(model, **params))
        finally:
            await model.aclose()


async def test_answers_with_text_tokens_and_no_price_where_none_is_known() -> None:
    response = await one("hello there")
    assert (response.text, response.usd, response.finish_reason) == ("hello there", None, "stop")
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (1, 2)


FAILURES: list[tuple[Reply, type[ComposeError], bool]] = [
    (Reply(status=401), AuthError, False),
    (Reply(status=403), AuthError, False),
    (Reply(status=408), CallTimeout, True),
    (Reply(status=429), RateLimited, True),
    (Reply(status=500), ServerError, True),
    (Reply(status=503), ServerError, True),
    (Reply(status=400, error="This model's maximum context length is 12 tokens"), ContextOverflow, False),
    (Reply(status=400, error="no such parameter"), ModelError, False),
    (Reply(status=404, error="no such model"), ModelError, False),
    (Reply(status=302), ModelError, False),
    (Reply(fault="half"), BadResponse, True),
    (Reply(fault="invalid"), BadResponse, True),
    (Reply(fault="empty"), BadResponse, True),
    (Reply(fault="close"), BadResponse, True),
    (Reply(body=[1, 2]), BadResponse, True),
    (Reply(body={"choices": [{"message": {"content": 5}}]}), BadResponse, True),
    (Reply(body={"error": {"message": "overloaded", "code": 502}}), ServerError, True),
    (Reply(body={"error": {"message": "prompt is too long"}}), ContextOverflow, False),
    (Reply(body={"error": {"message": "slow down", "code": 429}}), RateLimited, True),
    (Reply(body={"error": {"message": "slow down", "code": "429"}}), RateLimited, True),
    (Reply(body={"error": {"message": "bad key", "code": 401}}), AuthError, False),
    (Reply(body={"error": {"message": "late", "code": 408}}), CallTimeout, True),
    (Reply(body={"error": {"message": "no", "code": "invalid_request_error"}}), ModelError, False),
    (Reply(body={"error": {"message": "no", "code": None, "type": "invalid_request_error"}}), ModelError, False),
    (Reply(body={"error": {"message": "no", "code": "invalid_api_key", "type": "x"}}), AuthError, False),
    (Reply(body={"error": {"message": "down", "code": "odd"}}), ServerError, True),
    (Reply(body={"error": "down"}), ServerError, True),
]


@pytest.mark.parametrize(("reply", "kind", "retryable"), FAILURES)
async def test_each_failure_has_its_error(reply: Reply, kind: type[ComposeError], retryable: bool) -> None:
    with pytest.raises(kind) as caught:
        await one(reply)
    assert type(caught.value) is kind
    assert caught.value.retryable is retryable
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("http://127.0.0.1:")


async def test_the_servers_message_is_shown() -> None:
    with pytest.raises(ModelError, match="status 404: no such model"):
        await one(Reply(status=404, error="no such model"))


@pytest.mark.parametrize("text", [b"<html>\nbad\n gateway</html>", b"", b"\xff\xfe"])
async def test_an_error_page_that_is_no_json_is_one_line(text: bytes) -> None:
    from compose.models.providers.status import error_for

    error = error_for(502, {}, text, "m")
    assert isinstance(error, ServerError)
    assert "\n" not in str(error)


async def test_retry_after_in_seconds_or_as_a_date() -> None:
    with pytest.raises(RateLimited) as caught:
        await one(Reply(status=429, retry_after="1.5"))
    assert caught.value.retry_after == 1.5
    with pytest.raises(RateLimited) as caught:
        await one(Reply(status=429, retry_after=formatdate(time() + 60, usegmt=True)))
    assert caught.value.retry_after is not None
    assert 50 < caught.value.retry_after < 61
    with pytest.raises(ServerError) as failed:
        await one(Reply(status=503, retry_after="soon"))
    assert failed.value.retry_after is None


async def test_no_server_is_unreachable() -> None:
    async with FakeServer() as server:
        model = resolve(server.id(), Config())
    with pytest.raises(Unreachable, match=f"no connection to 127.0.0.1:{server.port}"):
        await model.complete(ask(model))
    await model.aclose()


async def test_cancelling_closes_the_connection() -> None:
    async with FakeServer(script=[Reply(fault="hang")]) as server:
        model = resolve(server.id(), Config())
        call = asyncio.create_task(model.complete(ask(model)))
        await server.until(lambda: server.in_flight > 0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await server.until(lambda: server.cancelled > 0)
        assert (await model.complete(ask(model))).text == "ok"
        await model.aclose()


async def test_usage_with_hidden_and_cached_tokens_at_its_price() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    async with FakeServer(script=[Reply(usage=usage)]) as server:
        price = Price(input=1.0, output=2.0, cached=0.5)
        model = resolve(server.id(), Config(models={server.id(): ModelConfig(price=price)}))
        response = await model.complete(ask(model))
        await model.aclose()
    assert (response.usage.cached_tokens, response.usage.reasoning_tokens) == (40, 30)
    assert response.usd == pytest.approx((60 * 1.0 + 40 * 0.5 + 50 * 2.0) / 1e6)


async def test_tokens_that_nobody_reported_are_marked() -> None:
    response = await one(Reply(body={"choices": [{"message": {"content": "twelve chars"}}]}))
    assert response.usage.estimated
    assert response.usage.prompt_tokens > 0
    assert response.usage.completion_tokens == 4


CALL: Json = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize("usage", [{"prompt_tokens": 7}, {"prompt_tokens": 7, "completion_tokens": 0}])
@pytest.mark.parametrize(
    "message",
    [
        {"content": "twelve chars"},
        {"content": "", "reasoning": "twelve chars"},
        {"content": None, "tool_calls": [CALL]},
    ],
)
async def test_no_answer_is_priced_as_if_it_had_no_tokens(usage: Json, message: Json) -> None:
    async with FakeServer(script=[Reply(usage=usage, message=message)]) as server:
        model = resolve(server.id(), Config(models={server.id(): ModelConfig(price=Price(input=0.0, output=1e6))}))
        response = await model.complete(ask(model))
        await model.aclose()
    assert (response.usage.prompt_tokens, response.usage.estimated) == (7, True)
    assert response.usage.completion_tokens >= 4
    assert response.usd == response.usage.completion_tokens


async def test_an_answer_that_says_nothing_has_no_tokens() -> None:
    response = await one(Reply(text="", usage={"prompt_tokens": 7, "completion_tokens": 0}))
    assert (response.usage.completion_tokens, response.usage.estimated) == (0, False)


async def test_all_settings_parts_and_tools_reach_the_server() -> None:
    tool: Json = {"type": "function", "function": {"name": "f", "parameters": {}}}
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    async with FakeServer(script=[Reply(message=message)]) as server:
        model = resolve(server.id("big/model#1"), Config())
        params = Params(
            temperature=0.0,
            top_p=0.9,
            max_tokens=5,
            stop=("a",),
            seed=7,
            effort="low",
            response_format={"type": "json_object"},
            tools=(tool,),
            tool_choice="auto",
            logprobs=True,
            top_logprobs=2,
        )
        messages = (Message("system", "s"), Message("user", [{"type": "text", "text": "t"}, picture]))
        response = await model.complete(Request(model.id, messages, params))
        sent = server.requests[0].body
        await model.aclose()
    assert response.tool_calls == [call]
    assert response.text == ""
    assert sent == {
        "model": "big/model#1",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "t"}, picture]},
        ],
        "temperature": 0.0,
        "top_p": 0.9,
        "max_tokens": 5,
        "stop": ["a"],
        "seed": 7,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "tools": [tool],
        "tool_choice": "auto",
        "logprobs": True,
        "top_logprobs": 2,
    }


async def test_samples_with_a_seed_get_seeds_of_their_own() -> None:
    async with FakeServer() as server:
        model = resolve(server.id(), Config())
        for sample in (0, 1):
            await model.complete(Request(model.id, (Message("user", "hi"),), Params(seed=7), sample))
        await model.aclose()
    assert [r.body["seed"] for r in server.requests] == [7, 8]


async def test_a_key_goes_only_where_the_configuration_sends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("MINE", "my-key-1234")
    async with FakeServer() as server:
        for config in (Config(), Config(models={server.id(): ModelConfig(api_key_env="MINE")})):
            model = resolve(server.id(), config)
            await model.complete(ask(model))
            await model.aclose()
    without, with_key = (r.headers for r in server.requests)
    assert "Authorization" not in without
    assert with_key["Authorization"] == "Bearer my-key-1234"


async def test_a_key_that_is_not_set_is_named_before_a_call() -> None:
    async with FakeServer() as server:
        model = resolve(server.id(), Config(models={server.id(): ModelConfig(api_key_env="NOT_SET")}))
        with pytest.raises(AuthError, match="NOT_SET is not set"):
            await model.complete(ask(model))
        await model.aclose()
        assert server.count == 0


async def test_a_key_that_the_server_echoes_is_struck_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "my-key-1234")
    async with FakeServer(script=[Reply(status=401, error="bad key my-key-1234")]) as server:
        model = resolve(server.id(), Config(models={server.id(): ModelConfig(api_key_env="MINE")}))
        with pytest.raises(AuthError) as caught:
            await model.complete(ask(model))
        await model.aclose()
    assert "my-key" not in str(caught.value)


@pytest.mark.parametrize("id", ["http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1#", "http://#m", "http://a:b@h/v1#m"])
def test_an_address_without_a_model_or_with_a_password_is_refused(id: str) -> None:
    with pytest.raises(ConfigError):
        Http.make(id, Config(), None)


async def deltas(reply: Reply) -> list[Delta]:
    async with FakeServer(script=[reply]) as server:
        model = resolve(server.id(), Config())
        try:
            return [delta async for delta in model.stream(ask(model))]
        finally:
            await model.aclose()


async def test_streams_text_and_then_the_response() -> None:
    *texts, last = await deltas(Reply(text="one two three"))
    assert [d.text for d in texts] == ["one ", "two ", "three"]
    assert last.response is not None
    assert (last.response.text, last.response.usage.completion_tokens) == ("one two three", 3)


def _chunk(**delta: Any) -> bytes:
    return msgspec.json.encode({"choices": [{"index": 0, **delta}]})


async def test_a_stream_may_have_comments_crlf_and_no_end_mark() -> None:
    raw = (
        b": ping\r\n\r\nevent: x\r\ndata:"
        + _chunk(delta={"content": "a"})
        + b"\r\n\r\ndata: "
        + _chunk(delta={"content": "b"}, finish_reason="stop")
    )
    *_, last = await deltas(Reply(raw=raw))
    assert last.response is not None
    assert last.response.text == "ab"


async def test_a_streamed_tool_call_is_put_together() -> None:
    first = {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a"'}}
    second = {"index": 0, "function": {"arguments": ":1}"}}
    lines = [
        _chunk(delta={"tool_calls": [first]}),
        _chunk(delta={"tool_calls": [second]}),
        _chunk(delta={}, finish_reason="tool_calls"),
    ]
    *_, last = await deltas(Reply(raw=b"".join(b"data: " + line + b"\n\n" for line in lines)))
    assert last.response is not None
    assert last.response.tool_calls == [
        {"type": "function", "function": {"name": "f", "arguments": '{"a":1}'}, "id": "1"}
    ]


BROKEN = [
    (Reply(raw=b"data: " + _chunk(delta={"tool_calls": [{"index": "x"}]}) + b"\n\n"), BadResponse),
    (Reply(raw=b"data: " + _chunk(delta={"tool_calls": [{"function": []}]}) + b"\n\n"), BadResponse),
    (Reply(text="a b", fault="half"), BadResponse),
    (Reply(raw=b"data: {\n\n"), BadResponse),
    (Reply(raw=b""), BadResponse),
    (Reply(raw=b'data: {"error": {"message": "overloaded"}}\n\n'), ServerError),
    (Reply(status=429), RateLimited),
]


@pytest.mark.parametrize(("reply", "kind"), BROKEN)
async def test_a_broken_stream_has_its_error(reply: Reply, kind: type[ModelError]) -> None:
    with pytest.raises(kind):
        await deltas(reply)


@asynccontextmanager
async def endless(head: bytes, piece: bytes) -> AsyncGenerator[str]:
    """A server that answers with `piece` again and again until the client hangs up; yields the id of its model."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        with suppress(ConnectionError):
            while True:
                writer.write(piece)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1#m"


OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"
ENDLESS = [
    (OK, b" " * 65536, "the answer is longer than 1 MB"),
    (OK, b"data: " * 8192, "(piece of the stream|answer) is longer than 1 MB"),
    (OK, b"data: {}\n" * 8192, "(piece of the stream|answer) is longer than 1 MB"),
    (OK, b"data: {}\n\n" * 8192, "the answer is longer than 1 MB"),
    (OK, b": ping\n\n" * 8192, "the answer is longer than 1 MB"),
    (OK.replace(b"200 OK", b"400 Bad"), b"no, " * 8192, "status 400: no, no, "),
]


@pytest.mark.parametrize(("head", "piece", "match"), ENDLESS)
async def test_a_body_without_end_is_not_read_to_the_end(
    head: bytes, piece: bytes, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compose.models.providers.bounded.MAX_BODY", 1 << 20)
    monkeypatch.setattr("compose.models.providers.sse.MAX_EVENT", 1 << 20)
    async with endless(head, piece) as id:
        model = resolve(id, Config())
        for answer in (model.complete(ask(model)), anext(aiter(model.stream(ask(model))))):
            with pytest.raises(ModelError, match=match):
                await answer
        await model.aclose()


async def test_events_cut_at_any_byte_are_read_the_same() -> None:
    raw = b': hi\r\n\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: x\n\ndata: [DONE]\n\ndata: y\n\n'

    async def cut(size: int) -> AsyncIterator[bytes]:
        for i in range(0, len(raw), size):
            yield raw[i : i + size]

    for size in range(1, len(raw) + 1):
        assert [e async for e in events(cut(size), "m")] == [b'{"a":\n1}', b"x"]


@pytest.mark.timeout(20)  # where each piece copies those before it, this takes minutes
async def test_a_long_event_in_many_pieces_is_put_together_once() -> None:
    line = b"data: " + b"x" * (MAX_EVENT - 100)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(line), 256):
            yield line[start : start + 256]
        yield b"\n\n"

    assert [len(event) async for event in events(pieces(), "m")] == [MAX_EVENT - 100]


async def test_the_session_is_shared_and_closed_by_the_last() -> None:
    from compose.models.providers import session

    async with FakeServer() as server:
        first, second = (resolve(server.id(name), Config()) for name in "ab")
        await asyncio.gather(first.complete(ask(first)), second.complete(ask(second)))
        shared = session.of_loop(first)
        assert session.of_loop(second) is shared
        await first.aclose()
        assert not shared.closed
        await second.aclose()
        assert shared.closed


DEEP = b'{"a":' * 100_000
HUGE = {"prompt_tokens": 10**30, "completion_tokens": -4, "completion_tokens_details": {"reasoning_tokens": 10**25}}


async def test_an_answer_nested_without_end_is_a_bad_one() -> None:
    with pytest.raises(BadResponse):
        chat.decode(DEEP, "m")


async def test_counts_beyond_reason_are_estimated(tmp_path: Path) -> None:
    request = Request("", (Message("user", "How many?"),))
    kept = Cache(tmp_path / "c.sqlite")
    async with (
        FakeServer(script=[Reply(text="two words", usage=HUGE)]) as server,
        Caller(Config(), cache=kept) as caller,
    ):
        response = await caller.call(msgspec.structs.replace(request, model=server.id()), Ledger())
    assert response.usage.estimated
    assert 0 < response.usage.prompt_tokens < 100
    assert 0 < response.usage.completion_tokens < 100
    assert response.usage.reasoning_tokens == 0


async def test_numbers_that_cannot_be_kept_are_a_bad_answer(tmp_path: Path) -> None:
    calls = [{"id": "1", "function": {"name": "f", "arguments": {"n": 10**60}}}]
    reply, kept = Reply(message={"content": "", "tool_calls": calls}), Cache(tmp_path / "c.sqlite")
    async with FakeServer(answer=lambda _: reply) as server, Caller(Config(), cache=kept, retries=0) as caller:
        with pytest.raises(BadResponse):
            await caller.call(Request(server.id(), (Message("user", "hi"),)), Ledger())


async def test_an_error_page_nested_without_end_is_an_error_of_the_server() -> None:
    reply = Reply(status=500, body=msgspec.Raw(DEEP[:60_000]))
    async with FakeServer(answer=lambda _: reply) as server, Caller(Config(), cache="off", retries=0) as caller:
        with pytest.raises(ServerError):
            await caller.call(Request(server.id(), (Message("user", "hi"),)), Ledger())
