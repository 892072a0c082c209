"""Models in process: a real one, and what goes wrong with a file that is none."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from compose.config import Config, ModelConfig
from compose.errors import ComposeError, ConfigError, ContextOverflow
from compose.models.gguf import parameters
from compose.models.model import Delta, Model
from compose.models.providers.local import Local, seed_of
from compose.models.resolve import resolve
from compose.models.weights import KNOWN, at_hand, find_weights, identity, notional_price
from compose.types import Json, Message, Params, Price, Request

ID = "local/smollm2-135m"


def missing() -> str | None:
    """Why the real model cannot run here."""
    if find_spec("xllamacpp") is None:
        return "xllamacpp is not installed"
    return None if at_hand(KNOWN["smollm2-135m"]) else "the weights of smollm2-135m are not on this machine"


real = pytest.mark.skipif(missing() is not None, reason=missing() or "")


def _short(params: Json) -> Json:
    return {"max_tokens": 8, **params}


def ask(text: str, sample: int = 0, **params: Any) -> Request:
    return Request(ID, (Message("user", text),), Params(**_short(params)), sample)


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    made = resolve(ID, Config())
    yield made
    await made.aclose()


@real
async def test_answers_with_tokens_and_a_notional_price(model: Model, capfd: pytest.CaptureFixture[str]) -> None:
    response = await model.complete(ask("What is 2+3?"))
    assert response.text
    assert (response.usage.completion_tokens, response.finish_reason) == (8, "length")
    assert response.usage.prompt_tokens > 5
    assert model.price is not None
    assert model.price.source.startswith("notional")
    assert response.usd is not None
    assert response.usd > 0
    assert capfd.readouterr() == ("", "")


@real
async def test_samples_differ_and_come_back_the_same_side_by_side(model: Model) -> None:
    requests = [ask("Name a colour.", sample, temperature=1.0) for sample in range(4)]
    first = [(await model.complete(request)).text for request in requests]
    again = [response.text for response in await asyncio.gather(*map(model.complete, requests))]
    assert first == again
    assert len(set(first)) > 1
    cold = [(await model.complete(ask("Name a colour.", sample, temperature=0.0))).text for sample in (0, 1)]
    assert cold[0] == cold[1]


@real
async def test_structured_answers_and_logprobs(model: Model) -> None:
    schema: Json = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wanted: Json = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    response = await model.complete(ask("What is 2+3?", response_format=wanted, max_tokens=24))
    assert isinstance(msgspec.json.decode(response.text)["n"], int)
    response = await model.complete(ask("Yes or no?", grammar='root ::= "yes" | "no"', logprobs=True, top_logprobs=2))
    assert response.text in ("yes", "no")
    assert response.logprobs
    assert len(response.logprobs[0]["top_logprobs"]) == 2


@real
async def test_streams_token_by_token(model: Model) -> None:
    *pieces, last = [delta async for delta in model.stream(ask("What is 2+3?"))]
    assert len(pieces) > 3
    assert last.response is not None
    assert last.response.text == "".join(piece.text for piece in pieces)
    assert last.response.text == (await model.complete(ask("What is 2+3?"))).text


@real
async def test_cancelling_frees_the_slot_and_a_stream_can_be_left(model: Model) -> None:
    long = ask("Tell a long story.", max_tokens=1500, temperature=1.0)
    calls = [asyncio.create_task(model.complete(long)) for _ in range(6)]
    await asyncio.sleep(0.05)
    for call in calls:
        call.cancel()
    assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*calls, return_exceptions=True))
    async for _ in model.stream(long):
        break
    assert (await model.complete(ask("What is 2+3?", max_tokens=2))).usage.completion_tokens == 2


@real
async def test_a_stream_that_was_left_has_ended_its_work(model: Model) -> None:
    async with aclosing(
        cast("AsyncGenerator[Delta]", model.stream(ask("Tell a long story.", max_tokens=1500)))
    ) as left:
        await anext(left)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@real
async def test_what_cannot_be_done_is_said(model: Model) -> None:
    with pytest.raises(ContextOverflow, match=ID):
        await model.complete(ask("word " * 5000))
    picture = Message("user", [{"type": "image_url", "image_url": {"url": "data:,"}}])
    with pytest.raises(ConfigError, match="does not take image parts"):
        await model.complete(Request(ID, (picture,)))
    with pytest.raises(ComposeError) as caught:
        await model.complete(ask("hi", grammar="root ::= ("))
    assert not caught.value.retryable


@real
async def test_two_ids_of_one_file_share_the_engine() -> None:
    from compose.models.providers import engine

    path = find_weights(ID)
    first, second = resolve(ID, Config()), resolve(f"local/{path}", Config())
    await asyncio.gather(first.complete(ask("a", max_tokens=1)), second.complete(ask("b", max_tokens=1)))
    assert engine.loaded() == [path]
    await first.aclose()
    assert engine.loaded() == [path]
    await second.aclose()
    assert engine.loaded() == []


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed")
async def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\0" * 100)
    model = resolve(f"local/{path}", Config())
    assert model.price is None
    with pytest.raises(ConfigError, match=r"broken.gguf cannot be loaded"):
        await model.complete(ask("hi"))
    await model.aclose()


async def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    model = resolve(f"local/{path}", Config())
    with pytest.raises(ConfigError) as caught:
        await model.complete(ask("hi"))
    await model.aclose()
    assert caught.value.hint == "pip install 'compose-llm[local]'"


def test_seeds_depend_on_what_is_asked_not_on_the_models_name() -> None:
    base = ask("hi")
    assert seed_of(base) == seed_of(Request("other", base.messages, base.params, 0))
    others = [ask("hi", 1), ask("ho"), ask("hi", seed=1), ask("hi", temperature=0.5)]
    assert len({seed_of(request) for request in [base, *others]}) == 5
    assert all(0 <= seed_of(request) < 2**31 for request in others)


def gguf(path: Path) -> Path:
    """A header with settings of several types and two tensors, 2x3 and 5."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    settings = [
        text("a") + struct.pack("<If", 6, 1.5),
        text("b") + struct.pack("<I", 8) + text("word"),
        text("c") + struct.pack("<IIQ", 9, 8, 2) + text("x") + text("y"),
        text("d") + struct.pack("<IIQ3i", 9, 5, 3, 1, 2, 3),
    ]
    tensors = [text("t") + struct.pack("<I2QIQ", 2, 2, 3, 0, 0), text("u") + struct.pack("<IQIQ", 1, 5, 0, 24)]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(settings))
    path.write_bytes(head + b"".join(settings + tensors))
    return path


def test_parameters_are_counted_from_the_header(tmp_path: Path) -> None:
    path = gguf(tmp_path / "a.gguf")
    assert parameters(path) == 11 / 1e9
    assert notional_price(path) is not None
    path.write_bytes(path.read_bytes()[:60])
    assert parameters(path) is None
    assert parameters(tmp_path / "absent.gguf") is None


def entry(rank: int) -> bytes:
    """A tensor without a name."""
    return struct.pack("<QI", 0, rank) + bytes(8 * 4 + 12)


NONSENSE = {
    "a name of half the address space": (1, 1, struct.pack("<Q", 2**63 + 5)),
    "a name of the whole address space": (1, 1, struct.pack("<Q", 2**64 - 1)),
    "an array too long for an offset": (0, 1, struct.pack("<QIIQ", 0, 9, 12, 2**62)),
    "arrays in arrays without end": (0, 1, struct.pack("<QI", 0, 9) + struct.pack("<IQ", 9, 1) * 5000),
    "a type that is none": (0, 1, struct.pack("<QI", 0, 99) + bytes(99)),
    "more dimensions than memory": (1, 0, entry(2**32 - 1)),
    "one dimension too many": (1, 0, entry(5) + bytes(99)),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_header_of_nonsense_has_no_parameters(what: str, tmp_path: Path) -> None:
    tensors, settings, rest = NONSENSE[what]
    path = tmp_path / "a.gguf"
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, tensors, settings) + rest)
    assert parameters(path) is None


def test_no_file_is_read_before_it_is_needed(tmp_path: Path) -> None:
    model = Local("local/absent.gguf", tmp_path / "absent.gguf", None)
    with pytest.raises(FileNotFoundError):
        _ = model.identity


def test_a_price_in_the_configuration_wins_and_files_are_told_apart(tmp_path: Path) -> None:
    path = gguf(tmp_path / "a.gguf")
    id = f"local/{path}"
    price = Price(input=9.0, output=9.0)
    assert resolve(id, Config(models={id: ModelConfig(price=price)})).price == price
    before = identity(path)
    path.write_bytes(path.read_bytes() + os.urandom(1))
    assert identity(path) != before
