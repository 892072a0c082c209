"""What is recorded is replayed: same prompt, same sample, same answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from compose.config import Config, user_dir
from compose.errors import ConfigError, ModelError
from compose.models.call import Caller
from compose.models.catalogue import list_models
from compose.models.ledger import Ledger
from compose.models.model import Model
from compose.models.recorded import Recorded
from compose.models.recording import write_recording
from compose.models.resolve import resolve
from compose.types import Json, Message, Params, Price, Request, Response, Usage

TALK = (Message("system", "be brief"), Message("user", "one?"))
ALONE = (Message("user", "two?"),)


def call(
    messages: tuple[Message, ...], text: str, sample: int = 0, model: str = "http://h/v1#m"
) -> tuple[Request, Response]:
    usage = Usage(10, 5, reasoning_tokens=2)
    return Request(model, messages, Params(), sample), Response(text, model, usage, 0.5, 1.25, "stop")


def record(name: str = "mine", *, replace: bool = False) -> Path:
    calls = [
        call(TALK, "a"),
        call(TALK, "b", 1),
        call(ALONE, "c"),
        call(ALONE, "again"),
        call(ALONE, "d", 0, "local/x"),
    ]
    prices = {"http://h/v1#m": Price(input=1.0, output=2.0, cached=0.5, source="compose.toml")}
    return write_recording(name, calls, prices=prices, targets=[(ALONE, "2")], replace=replace)


async def test_a_recording_is_replayed_with_tokens_prices_and_samples() -> None:
    assert record() == user_dir() / "recordings" / "mine"
    model = resolve("replay/mine/http://h/v1#m", Config())
    texts = [(await model.complete(Request(model.id, TALK, Params(), i))).text for i in (0, 1)]
    assert texts == ["a", "b"]
    response = await model.complete(Request(model.id, ALONE))
    assert (response.text, response.seconds, response.finish_reason) == ("c", 1.25, "stop")
    assert response.usage == Usage(10, 5, reasoning_tokens=2)
    assert model.price is not None
    assert model.price.cached == 0.5
    assert response.usd == pytest.approx((10 * 1.0 + 5 * 2.0) / 1e6)
    other = resolve("replay/mine/local/x", Config())
    assert (await other.complete(Request(other.id, ALONE))).usd is None
    with pytest.raises(ModelError, match="not in this conversation"):
        await model.complete(Request(model.id, (*ALONE, Message("assistant", "so?"), Message("user", "more"))))


def test_a_recording_is_listed_and_the_same_calls_give_the_same_bytes() -> None:
    first, second = record("first"), record("second")
    assert {f.name: f.read_bytes() for f in first.iterdir()} == {f.name: f.read_bytes() for f in second.iterdir()}
    assert "replay/first/local/x" in {info.id for info in list_models(Config())}


def test_a_recording_is_replaced_only_when_told_and_is_private() -> None:
    folder = record()
    with pytest.raises(ConfigError, match="exists already"):
        record()
    assert record(replace=True) == folder
    assert [f.name for f in folder.parent.iterdir()] == ["mine"]
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0


def test_a_set_that_another_process_recorded_meanwhile_is_kept() -> None:
    def calls() -> Iterator[tuple[Request, Response]]:
        yield call(ALONE, "late")
        record()

    with pytest.raises(ConfigError, match="exists already"):
        write_recording("mine", calls())
    folder = user_dir() / "recordings"
    assert Recorded(folder / "mine").samples("http://h/v1#m") == 2
    assert [f.name for f in folder.iterdir()] == ["mine"]


def test_a_set_is_there_until_it_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = record()
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if target == folder and self.name != "old":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(ConfigError, match="No space left"):
        record(replace=True)
    assert Recorded(folder).samples("http://h/v1#m") == 2
    assert [f.name for f in folder.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b"])
def test_a_name_must_be_a_folder_name(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name"):
        record(name)


TOOL: Json = {"type": "function", "function": {"name": "f", "parameters": {"b": 1, "a": 2}}}
COLD = Params(temperature=0, max_tokens=9)
WARM = Params(temperature=1.0, tools=(TOOL,), logprobs=True)
WHOLE = Response(
    "",
    "m",
    Usage(10, 5, reasoning_tokens=2),
    seconds=1.25,
    finish_reason="tool_calls",
    tool_calls=[{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    logprobs=[{"token": "a", "logprob": -0.5, "top_logprobs": []}],
    reasoning="hm",
)


def both() -> Model:
    """A model that was recorded with two settings for one prompt and one for another."""
    plain = Response("cold", "m", Usage(10, 5))
    calls = [(Request("m", ALONE, COLD), plain), (Request("m", ALONE, WARM), WHOLE), (Request("m", TALK, WARM), WHOLE)]
    write_recording("both", calls)
    return resolve("replay/both/m", Config())


async def test_all_of_a_response_is_replayed() -> None:
    model = both()
    response = await model.complete(Request(model.id, ALONE, WARM))
    assert response == msgspec.structs.replace(WHOLE, model=model.id)


async def test_settings_of_one_prompt_are_kept_apart() -> None:
    model = both()
    same = Params(temperature=0.0, max_tokens=9)
    assert (await model.complete(Request(model.id, ALONE, same))).text == "cold"
    with pytest.raises(ModelError, match=r'with other settings than \{"temperature":0.5\}') as caught:
        await model.complete(Request(model.id, ALONE, Params(temperature=0.5)))
    assert (caught.value.hint or "").startswith('recorded with {"max_tokens":9,"temperature":0.0} or {"logprobs')
    assert "\n" not in f"{caught.value}{caught.value.hint}"


async def test_a_prompt_that_was_asked_with_one_setting_answers_any() -> None:
    model = both()
    assert (await model.complete(Request(model.id, TALK, Params(temperature=0.5)))).reasoning == "hm"


async def test_a_budget_changes_no_settings_of_what_is_recorded() -> None:
    plain = Response("plain", "m", Usage(10, 5))
    calls = [(Request("m", ALONE), plain), (Request("m", ALONE, WARM), WHOLE)]
    write_recording("priced", calls, prices={"m": Price(input=1.0, output=2.0)})
    async with Caller(Config(), cache="off", budget=1.0) as caller:
        assert (await caller.call(Request("replay/priced/m", ALONE), Ledger())).text == "plain"


async def test_what_no_recorded_call_asked_for_is_refused() -> None:
    model = both()
    with pytest.raises(ConfigError, match="does not take grammar"):
        await model.complete(Request(model.id, ALONE, Params(grammar='root ::= "a"')))
