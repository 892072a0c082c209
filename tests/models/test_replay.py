"""Recorded sets: what is there is answered, what is not is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from compose.config import Config
from compose.errors import ConfigError, DataError, ModelError, UnknownName
from compose.models.model import Model
from compose.models.recorded import TWICE, open_set
from compose.models.resolve import resolve
from compose.types import Message, Params, Request, Usage


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))


def make_set(folder: Path, items: list[dict[str, Any]], records: list[dict[str, Any]], prices: dict[str, Any]) -> None:
    lines(folder / "items.jsonl.gz", items)
    lines(folder / "records.jsonl.gz", records)
    (folder / "models.json").write_text(json.dumps(prices))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A set of two prompts and two models, one of them with two samples and no price."""
    items = [{"id": "1", "prompt": "one?", "target": "1"}, {"id": "2", "prompt": "two?", "target": "2"}]
    counts = {"prompt_tokens": 10, "completion_tokens": 5}
    records = [
        {"id": "1", "model": "a", "output": "uno", **counts},
        {"id": "2", "model": "a", "output": None, **counts},
        {"id": "1", "model": "org/b", "output": "x", **counts},
        {"id": "1", "model": "org/b", "output": "y", **counts},
    ]
    prices = {
        "a": {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0, "price_source": "list"},
        "org/b": {"input_usd_per_mtok": None, "output_usd_per_mtok": None, "price_source": None},
    }
    make_set(tmp_path / "small", items, records, prices)
    return tmp_path


def ask(model: Model, *messages: Message, sample: int = 0) -> Request:
    return Request(model.id, messages, Params(), sample)


def user(text: str) -> Message:
    return Message("user", text)


async def test_answers_with_the_recorded_text_tokens_and_price(small: Path) -> None:
    model = resolve("replay/small/a", Config(), data=small)
    response = await model.complete(ask(model, user("one?")))
    assert response.text == "uno"
    assert response.usd == pytest.approx((10 * 1.0 + 5 * 2.0) / 1e6)
    assert model.stored
    assert model.price is not None
    assert model.price.source == "list"


async def test_tokens_that_a_record_does_not_count_are_estimated(tmp_path: Path) -> None:
    items = [{"id": "1", "prompt": "one?"}, {"id": "2", "messages": [{"role": "user", "content": "two?"}]}]
    records = [
        {"id": "1", "model": "a", "output": "twelve chars", "prompt_tokens": 9},
        {"id": "2", "model": "a", "output": "twelve chars", "completion_tokens": 5},
    ]
    make_set(tmp_path / "s", items, records, {"a": {"input_usd_per_mtok": 0.0, "output_usd_per_mtok": 1e6}})
    model = resolve("replay/s/a", Config(), data=tmp_path)
    first = await model.complete(ask(model, user("one?")))
    assert (first.usage, first.usd) == (Usage(9, 4, estimated=True), 4.0)
    second = await model.complete(ask(model, user("two?")))
    assert second.usage.estimated
    assert second.usage.prompt_tokens > 0
    assert second.usd == 5.0


async def test_samples_are_kept_apart_and_an_unknown_price_stays_unknown(small: Path) -> None:
    model = resolve("replay/small/org/b", Config(), data=small)
    texts = [(await model.complete(ask(model, user("one?"), sample=i))).text for i in (0, 1)]
    assert texts == ["x", "y"]
    assert (await model.complete(ask(model, user("one?")))).usd is None
    with pytest.raises(ModelError, match="sample 2") as caught:
        await model.complete(ask(model, user("one?"), sample=2))
    assert caught.value.hint == "2 samples are recorded"


async def test_what_is_not_recorded_is_an_error_that_names_set_model_and_prompt(small: Path) -> None:
    model = resolve("replay/small/a", Config(), data=small)
    with pytest.raises(ModelError, match=r"replay/small/a: prompt 'and three\?' is not recorded in small") as caught:
        await model.complete(ask(model, user("and three?")))
    assert not caught.value.retryable
    assert caught.value.exit_status == 3
    with pytest.raises(ModelError, match="not in this conversation"):
        await model.complete(ask(model, Message("system", "be brief"), user("one?")))
    with pytest.raises(ModelError, match="had failed"):
        await model.complete(ask(model, user("two?")))
    other = resolve("replay/small/org/b", Config(), data=small)
    with pytest.raises(ModelError, match="no answer to prompt"):
        await other.complete(ask(other, user("two?")))


async def test_a_prompt_in_parts_is_the_same_prompt(small: Path) -> None:
    model = resolve("replay/small/a", Config(), data=small)
    response = await model.complete(ask(model, Message("user", [{"type": "text", "text": "one?"}])))
    assert response.text == "uno"


async def test_streams_in_one_piece(small: Path) -> None:
    model = resolve("replay/small/a", Config(), data=small)
    first, last = [delta async for delta in model.stream(ask(model, user("one?")))]
    assert first.text == "uno"
    assert last.response is not None


async def test_what_a_recording_cannot_give_is_refused(small: Path) -> None:
    model = resolve("replay/small/a", Config(), data=small)
    request = Request(model.id, (user("one?"),), Params(tools=({"type": "function"},)))
    with pytest.raises(ConfigError, match="does not take tools"):
        await model.complete(request)


def test_unknown_sets_and_models_have_a_nearest_name(small: Path) -> None:
    with pytest.raises(UnknownName, match="unknown recorded set 'smal'") as caught:
        resolve("replay/smal/a", Config(), data=small)
    assert caught.value.nearest == "small"
    with pytest.raises(UnknownName) as caught:
        resolve("replay/small/org/c", Config(), data=small)
    assert caught.value.nearest == "org/b"
    with pytest.raises(ConfigError, match="names no recorded model"):
        resolve("replay/small", Config(), data=small)


def test_the_set_is_found_by_the_environment_too(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSE_DATA", str(small))
    assert resolve("replay/small/a", Config()).id == "replay/small/a"


def test_a_name_cannot_climb_out_of_the_folder(small: Path) -> None:
    with pytest.raises(ConfigError):
        resolve("replay/../small/a", Config(), data=small / "small")


def test_the_models_of_a_set_share_it(small: Path) -> None:
    assert open_set(small / "small") is open_set(small / "small")


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"not gzip", "not a whole gzip file"),
        (gzip.compress(b'{"id": "1", "model": "a"}\n' * 99)[:-12], "not a whole gzip file"),
        (gzip.compress(b'{"id": "1", "model": "a", "output": "x"}\n{"id": 5}\n'), r"records.jsonl.gz:2: "),
        (gzip.compress(b'{"id": "1", "model": "a"}\n{"id"'), r"records.jsonl.gz:2: "),
    ],
)
def test_a_broken_file_is_named_with_its_line(small: Path, raw: bytes, match: str) -> None:
    (small / "small" / "records.jsonl.gz").write_bytes(raw)
    with pytest.raises(DataError, match=match):
        resolve("replay/small/a", Config(), data=small)


async def test_two_items_with_one_prompt_and_different_answers_are_no_answer(tmp_path: Path) -> None:
    items = [{"id": "1", "prompt": "?"}, {"id": "2", "prompt": "?"}]
    records = [{"id": i, "model": "a", "output": i} for i in "12"]
    make_set(tmp_path / "s", items, records, {})
    model = resolve("replay/s/a", Config(), data=tmp_path)
    with pytest.raises(ModelError, match="stands for 2 items"):
        await model.complete(ask(model, user("?")))


# On the public sets


def rows(folder: Path) -> list[dict[str, Any]]:
    raw = gzip.decompress((folder / "items.jsonl.gz").read_bytes())
    return [json.loads(line) for line in raw.splitlines()]


ZEROEVAL = {"zeroeval_gsm": 1119, "zeroeval_crux": 600, "zeroeval_math_l5": 521}


@pytest.mark.parametrize(("name", "count"), ZEROEVAL.items())
async def test_zeroeval_answers_every_item_for_twelve_models(data: Path, name: str, count: int) -> None:
    recorded = open_set(data / name)
    assert len(recorded.models) == 12
    models = [resolve(f"replay/{name}/{m}", Config(), data=data) for m in recorded.models]
    prompts = [row["prompt"] for row in rows(data / name)]
    assert len(prompts) == count
    for model in models:
        for prompt in prompts[:: count // 50]:
            response = await model.complete(ask(model, user(prompt)))
            assert response.usd is not None


async def test_the_mean_cost_is_the_one_of_the_readme(data: Path) -> None:
    model = resolve("replay/zeroeval_gsm/gpt-4o-mini-2024-07-18", Config(), data=data)
    prompts = [row["prompt"] for row in rows(data / "zeroeval_gsm")]
    usd = [(await model.complete(ask(model, user(p)))).usd or 0.0 for p in prompts]
    assert sum(usd) / len(usd) * 1000 == pytest.approx(0.115, abs=0.0006)


async def test_a_question_read_twice_has_its_own_answers(data: Path) -> None:
    model = resolve("replay/re2_gsm8k/gpt-4o-mini-2024-07-18/cot", Config(), data=data)
    question = rows(data / "re2_gsm8k")[0]["question"]
    once = await model.complete(ask(model, user(question)))
    twice = {(await model.complete(ask(model, user(form.format(question))))).text for form in TWICE}
    assert len(twice) == 1
    assert once.usage.estimated


async def test_many_samples_share_one_prompt_and_cost_what_the_readme_says(data: Path) -> None:
    model = resolve("replay/mot_cascade/gpt-3.5-turbo/cot1", Config(), data=data)
    items = rows(data / "mot_cascade")
    questions = [item["question"] for item in items if item["task"] == "date"]
    usd = 0.0
    for question in questions:
        for sample in range(20):
            response = await model.complete(ask(model, user(question), sample=sample))
            usd += response.usd or 0.0
    assert usd / len(questions) * 1000 == pytest.approx(3.18, abs=0.01)


async def test_alpaca_answers_and_leaves_unknown_prices_unknown(data: Path) -> None:
    instruction = rows(data / "alpaca_eval")[0]["instruction"]
    known = resolve("replay/alpaca_eval/gpt4_1106_preview", Config(), data=data)
    unknown = resolve("replay/alpaca_eval/gemma-2b-it", Config(), data=data)
    assert (await known.complete(ask(known, user(instruction)))).usd is not None
    assert (await unknown.complete(ask(unknown, user(instruction)))).usd is None
