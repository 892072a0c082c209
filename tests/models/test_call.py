"""The chain, link by link, over a scripted model."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from compose.config import Config, ModelConfig
from compose.errors import (
    AuthError,
    BadResponse,
    BudgetExceeded,
    CacheError,
    CallTimeout,
    ConfigError,
    ModelError,
    RateLimited,
    ServerError,
    UnknownName,
)
from compose.models.cache import Cache
from compose.models.call import Caller
from compose.models.call.retry import wait_before_retry
from compose.models.ledger import Ledger
from compose.models.model import Abilities, Delta, Model
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


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def ask(text: str = "hi", *, model: str = "m", sample: int = 0, max_tokens: int | None = None) -> Request:
    return Request(model, (Message("user", text),), Params(max_tokens=max_tokens), sample)


def caller_of(*models: Model, cache: Cache | None = None, config: Config | None = None, **options: Any) -> Caller:
    caller = Caller(config or Config(), cache=cache, **options)
    for model in models:
        caller.add(model)
    return caller


# Cache and ledger


async def test_the_second_time_is_cached_listed_and_not_paid(cache: Cache) -> None:
    model = ScriptedModel(price=DOLLAR, usage=Usage(1, 2))
    caller, ledger = caller_of(model, cache=cache), Ledger()
    first = await caller.call(ask(), ledger, node="n")
    second = await caller.call(ask(), ledger, node="n")
    assert (first.text, first.cached, first.usd) == (second.text, False, 2.0)
    assert (second.cached, second.usd) == (True, 2.0)
    assert (ledger.calls, ledger.cached, ledger.usd, ledger.usd_spent) == (2, 1, 4.0, 2.0)
    assert ledger.by_node()["n"].calls == 2
    assert caller.spent == 2.0
    assert len(model.requests) == 1


async def test_another_caller_finds_it_too(cache: Cache) -> None:
    await caller_of(ScriptedModel(), cache=cache).call(ask(), Ledger())
    model = ScriptedModel()
    assert (await caller_of(model, cache=cache).call(ask(), Ledger())).cached
    assert model.requests == []


async def test_samples_are_kept_apart(cache: Cache) -> None:
    caller = caller_of(ScriptedModel(), cache=cache)
    texts = [(await caller.call(ask(sample=i), Ledger())).text for i in (0, 1, 0)]
    assert texts == ["answer 0", "answer 1", "answer 0"]


async def test_without_a_cache_every_call_is_made() -> None:
    model = ScriptedModel()
    caller = caller_of(model)
    for _ in range(2):
        assert not (await caller.call(ask(), Ledger())).cached
    assert len(model.requests) == 2


async def test_an_unknown_price_is_none_and_becomes_known_with_the_price(cache: Cache) -> None:
    ledger = Ledger()
    assert (await caller_of(ScriptedModel(), cache=cache).call(ask(), ledger)).usd is None
    assert (ledger.usd, ledger.usd_spent) == (None, None)
    config = Config(models={"m": ModelConfig(price=DOLLAR)})
    ledger = Ledger()
    assert (await caller_of(ScriptedModel(), cache=cache, config=config).call(ask(), ledger)).usd == 10.0
    assert (ledger.usd, ledger.usd_spent) == (10.0, 0.0)


async def test_a_cached_answer_has_the_price_of_today(cache: Cache) -> None:
    yesterday, today = Price(input=0.0, output=2e6), Price(input=0.0, output=3e6)
    await caller_of(ScriptedModel(price=yesterday, usage=Usage(0, 1)), cache=cache).call(ask(), Ledger())
    for model, config, usd in (
        (ScriptedModel(price=today), Config(), 3.0),
        (ScriptedModel(price=today), Config(models={"m": ModelConfig(price=DOLLAR)}), 1.0),
        (ScriptedModel(), Config(), 2.0),
    ):
        response = await caller_of(model, cache=cache, config=config).call(ask(), Ledger())
        assert (response.cached, response.usd) == (True, usd)


async def test_dollars_that_a_model_reports_stand_until_a_price_is_set(cache: Cache) -> None:
    config = Config(models={"m": ModelConfig(price=DOLLAR)})
    for settings, usd in ((Config(), 0.25), (config, 2.0)):
        model = ScriptedModel(script=[Response("a", "m", Usage(0, 2), usd=0.25)])
        assert (await caller_of(model, config=settings).call(ask(), Ledger())).usd == usd


async def test_failures_are_not_cached(cache: Cache) -> None:
    model = ScriptedModel(script=[AuthError("no", model="m")])
    caller = caller_of(model, cache=cache)
    ledger = Ledger()
    with pytest.raises(AuthError):
        await caller.call(ask(), ledger)
    assert ledger.calls == 0
    assert not (await caller.call(ask(), ledger)).cached


async def test_the_more_careful_mode_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSE_CACHE", str(tmp_path))
    assert Caller(Config(cache="off")).cache.mode == "off"
    assert Caller(Config(cache="read"), cache="off").cache.mode == "off"
    assert Caller(Config(cache="on"), cache="read").cache.mode == "read"
    assert Caller(Config()).cache.mode == "on"
    assert files_in(tmp_path) == []


async def test_defaults_of_the_configuration_are_part_of_what_is_asked(cache: Cache) -> None:
    model = ScriptedModel()
    config = Config(models={"m": ModelConfig(params=Params(temperature=0.2, max_tokens=9))})
    await caller_of(model, cache=cache, config=config).call(ask(max_tokens=5), Ledger())
    assert model.requests[0].params == Params(temperature=0.2, max_tokens=5)
    await caller_of(model, cache=cache).call(ask(max_tokens=5), Ledger())
    assert len(model.requests) == 2


async def test_recorded_answers_are_paid_once_and_written_nowhere(cache: Cache) -> None:
    model = ScriptedModel(price=DOLLAR, stored=True, usage=Usage(1, 1))
    caller, ledger = caller_of(model, cache=cache, budget=2.0), Ledger()
    assert [(await caller.call(ask(), ledger)).cached for _ in range(3)] == [False, True, True]
    assert (ledger.usd, ledger.usd_spent, caller.spent) == (3.0, 1.0, 1.0)
    assert cache.stats().answers == 0
    await caller.call(ask(sample=1), ledger)
    with pytest.raises(BudgetExceeded):
        await caller.call(ask(sample=2), ledger)
    assert (await caller.call(ask(sample=1), ledger)).cached


def fill_up(cache: Cache) -> None:
    database = cache._database  # pyright: ignore[reportPrivateUsage]  # the only door to a real SQLITE_FULL
    database.once(lambda c: c.execute("PRAGMA max_page_count = 8"))


async def test_a_full_disk_stops_the_call_with_one_line_and_what_it_paid_is_listed(cache: Cache) -> None:
    model = ScriptedModel(answer=lambda r: "x" * 100_000, price=DOLLAR, usage=Usage(0, 2))
    caller, ledger = caller_of(model, cache=cache), Ledger()
    fill_up(cache)
    results = await asyncio.gather(*(caller.call(ask(), ledger, node="n") for _ in range(3)), return_exceptions=True)
    assert [type(r) for r in results] == [CacheError] * 3
    assert "disk is full" in str(results[0])
    assert (ledger.calls, ledger.by_node()["n"].usd_spent, caller.spent) == (1, 2.0, 2.0)


@pytest.mark.parametrize("rounds", range(1, 12))
async def test_what_was_paid_is_listed_whenever_the_last_who_waits_is_cancelled(cache: Cache, rounds: int) -> None:
    model = ScriptedModel(price=DOLLAR, usage=Usage(0, 2))
    caller, ledger = caller_of(model, cache=cache), Ledger()
    tasks = [asyncio.create_task(caller.call(ask(), ledger)) for _ in range(2)]
    for _ in range(rounds):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert ledger.usd_spent == caller.spent


# Single-flight


async def test_equal_calls_at_once_are_one_call(cache: Cache) -> None:
    model = ScriptedModel(latency=0.01, price=DOLLAR, usage=Usage(0, 1))
    caller, ledger = caller_of(model, cache=cache), Ledger()
    responses = await asyncio.gather(*(caller.call(ask(), ledger) for _ in range(10)))
    assert len(model.requests) == 1
    assert sum(r.cached for r in responses) == 9
    assert (ledger.calls, ledger.cached, ledger.usd, ledger.usd_spent) == (10, 9, 10.0, 1.0)


async def test_a_shared_call_survives_who_began_it() -> None:
    model = ScriptedModel(latency=0.05, price=DOLLAR, usage=Usage(0, 1))
    caller, ledger = caller_of(model), Ledger()
    first, second = (asyncio.create_task(caller.call(ask(), ledger)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second).text == "answer 0"
    assert first.cancelled()
    assert (len(model.requests), model.cancelled, ledger.calls, ledger.usd_spent) == (1, 0, 1, 1.0)


async def test_a_shared_call_ends_with_the_last_who_waits() -> None:
    model = ScriptedModel(latency=10)
    caller = caller_of(model, budget=100.0, config=Config(models={"m": ModelConfig(price=DOLLAR)}))
    tasks = [asyncio.create_task(caller.call(ask(max_tokens=5), Ledger())) for _ in range(3)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (model.cancelled, model.in_flight) == (1, 0)
    assert caller._budget.reserved == 0  # pyright: ignore[reportPrivateUsage]


async def test_a_shared_failure_reaches_everyone_and_is_not_remembered() -> None:
    model = ScriptedModel(latency=0.01, script=[AuthError("no", model="m")])
    caller = caller_of(model)
    results = await asyncio.gather(*(caller.call(ask(), Ledger()) for _ in range(3)), return_exceptions=True)
    assert [type(r) for r in results] == [AuthError] * 3
    assert (await caller.call(ask(), Ledger())).text == "answer 0"


async def test_who_comes_after_a_cancelled_call_starts_anew() -> None:
    model = ScriptedModel(latency=0.02)
    caller = caller_of(model)
    first = asyncio.create_task(caller.call(ask(), Ledger()))
    await asyncio.sleep(0.005)
    first.cancel()
    second = asyncio.create_task(caller.call(ask(), Ledger()))
    assert (await second).text == "answer 0"
    assert first.cancelled()


# Budget


async def test_the_budget_holds_at_any_concurrency() -> None:
    model = ScriptedModel(latency=0.001, price=DOLLAR, usage=Usage(0, 3))
    caller = caller_of(model, budget=20.0)
    ledger = Ledger()
    calls = (caller.call(ask(f"q{i}", max_tokens=3), ledger) for i in range(50))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(r, Response) for r in results) == 6
    assert sum(isinstance(r, BudgetExceeded) for r in results) == 44
    assert caller.spent == ledger.usd_spent == 18.0


async def test_a_model_that_bills_more_than_was_foreseen_stops_what_waits_behind_it() -> None:
    model = ScriptedModel(latency=0.001, price=DOLLAR, usage=Usage(1, 1000))
    caller = caller_of(model, budget=200.0, concurrency=4)
    calls = (caller.call(ask(f"q{i}", max_tokens=1), Ledger()) for i in range(100))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert len(model.requests) == 4
    assert sum(isinstance(r, BudgetExceeded) for r in results) == 96


async def test_calls_wait_for_what_others_turn_out_not_to_need() -> None:
    model = ScriptedModel(latency=0.001, price=DOLLAR, usage=Usage(0, 1))
    caller = caller_of(model, budget=20.0)
    await asyncio.gather(*(caller.call(ask(f"q{i}", max_tokens=10), Ledger()) for i in range(11)))
    assert (caller.spent, model.most) == (11.0, 2)


async def test_a_budget_needs_prices() -> None:
    model = ScriptedModel()
    with pytest.raises(ConfigError, match="no known price") as caught:
        await caller_of(model, budget=1.0).call(ask(), Ledger())
    assert '[models."m"]' in (caught.value.hint or "")
    assert model.requests == []


async def test_a_cached_answer_needs_no_budget(cache: Cache) -> None:
    await caller_of(ScriptedModel(), cache=cache).call(ask(max_tokens=1), Ledger())
    assert (await caller_of(ScriptedModel(), cache=cache, budget=0.0).call(ask(max_tokens=1), Ledger())).cached


async def test_with_a_budget_no_answer_is_without_a_limit() -> None:
    model = ScriptedModel(price=DOLLAR)
    await caller_of(model, budget=1e6).call(ask(), Ledger())
    assert model.requests[0].params.max_tokens == 4096
    limited = ScriptedModel(price=DOLLAR, abilities=Abilities(max_output=8))
    await caller_of(limited, budget=1e6).call(ask(), Ledger())
    assert limited.requests[0].params.max_tokens is None


async def test_failed_and_cancelled_calls_free_their_reservation() -> None:
    model = ScriptedModel(price=DOLLAR, script=[AuthError("no", model="m")], usage=Usage(0, 1))
    caller = caller_of(model, budget=10.0)
    with pytest.raises(AuthError):
        await caller.call(ask(max_tokens=10), Ledger())
    model.latency = 10
    task = asyncio.create_task(caller.call(ask(max_tokens=10), Ledger()))
    waiting = asyncio.create_task(caller.call(ask("other", max_tokens=10), Ledger()))
    await asyncio.sleep(0.01)
    waiting.cancel()
    task.cancel()
    await asyncio.gather(task, waiting, return_exceptions=True)
    model.latency = 0
    await caller.call(ask(max_tokens=10), Ledger())
    assert caller.spent == 1.0


async def test_a_fallback_is_paid_from_the_same_budget() -> None:
    dear = ScriptedModel("dear", price=DOLLAR, usage=Usage(0, 5))
    config = Config(models={"m": ModelConfig(fallbacks=("dear",))})
    failing = ScriptedModel(price=DOLLAR, answer=lambda r: AuthError("no", model="m"))
    caller = caller_of(failing, dear, config=config, budget=12.0)
    calls = (caller.call(ask(f"q{i}", max_tokens=5), Ledger()) for i in range(5))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(r, Response) for r in results) == 2
    assert caller.spent == 10.0


# Limits


async def test_no_more_calls_at_once_than_allowed() -> None:
    model, narrow = ScriptedModel(latency=0.002), ScriptedModel("narrow", latency=0.002)
    config = Config(models={"narrow": ModelConfig(concurrency=2)})
    caller = caller_of(model, narrow, config=config, concurrency=5)
    calls = [caller.call(ask(f"q{i}", model=m), Ledger()) for i in range(20) for m in ("m", "narrow")]
    await asyncio.gather(*calls)
    assert narrow.most == 2
    assert 3 <= model.most <= 5


async def test_a_call_that_waits_to_be_tried_again_holds_no_slot() -> None:
    slow = ScriptedModel(script=[RateLimited("slow", model="m", retry_after=0.2)])
    quick = ScriptedModel("quick")
    caller = caller_of(slow, quick, concurrency=1)
    waiting = asyncio.create_task(caller.call(ask(), Ledger()))
    await asyncio.sleep(0.01)
    await caller.call(ask(model="quick"), Ledger())
    assert not waiting.done()
    assert (await waiting).text == "answer 0"


async def test_cancelled_calls_free_their_slots() -> None:
    model = ScriptedModel(latency=10)
    caller = caller_of(model, config=Config(models={"m": ModelConfig(concurrency=2)}), concurrency=2)
    tasks = [asyncio.create_task(caller.call(ask(f"q{i}"), Ledger())) for i in range(6)]
    await asyncio.sleep(0.01)
    for task in reversed(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    model.latency = 0
    await asyncio.gather(*(caller.call(ask(f"q{i}"), Ledger()) for i in range(6)))
    assert model.most == 2


async def test_calls_start_no_faster_than_the_rate_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.models.call.limits.BURST_SECONDS", 0.0)
    model = ScriptedModel()
    caller = caller_of(model, config=Config(models={"m": ModelConfig(rpm=60 * 200)}))
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.gather(*(caller.call(ask(f"q{i}"), Ledger()) for i in range(21)))
    assert loop.time() - start >= 20 / 200 - 0.01


# Timeout and retry


async def test_a_hanging_attempt_is_tried_again() -> None:
    model = ScriptedModel(latency=10)
    caller = caller_of(model, timeout=0.02, retries=1)
    with pytest.raises(CallTimeout, match=r"m: no answer in 0\.02 s"):
        await caller.call(ask(), Ledger())
    assert (len(model.requests), model.cancelled) == (2, 2)


@pytest.mark.parametrize("error", [RateLimited, ServerError, BadResponse, CallTimeout])
async def test_what_can_get_better_is_tried_again(error: type[ModelError]) -> None:
    model = ScriptedModel(script=[error("no", model="m"), error("no", model="m"), "fine"])
    assert (await caller_of(model).call(ask(), Ledger())).text == "fine"
    assert len(model.requests) == 3


async def test_what_cannot_is_not() -> None:
    model = ScriptedModel(script=[AuthError("no", model="m"), "fine"])
    with pytest.raises(AuthError):
        await caller_of(model).call(ask(), Ledger())
    assert len(model.requests) == 1


async def test_retries_end() -> None:
    model = ScriptedModel(answer=lambda r: ServerError("down", model="m"))
    with pytest.raises(ServerError):
        await caller_of(model, retries=2).call(ask(), Ledger())
    assert len(model.requests) == 3


async def test_retry_after_is_honoured_up_to_a_point() -> None:
    model = ScriptedModel(script=[RateLimited("slow", model="m", retry_after=0.08), "fine"])
    loop = asyncio.get_running_loop()
    start = loop.time()
    await caller_of(model).call(ask(), Ledger())
    assert loop.time() - start >= 0.07
    model = ScriptedModel(script=[RateLimited("slow", model="m", retry_after=9999), "fine"])
    with pytest.raises(RateLimited):
        await caller_of(model).call(ask(), Ledger())


async def test_one_set_of_waiters_waits_for_the_retries_of_one_call(cache: Cache) -> None:
    model = ScriptedModel(script=[ServerError("down", model="m"), "fine"])
    caller = caller_of(model, cache=cache)
    responses = await asyncio.gather(*(caller.call(ask(), Ledger()) for _ in range(4)))
    assert {r.text for r in responses} == {"fine"}
    assert len(model.requests) == 2


# Fallback, names and secrets


async def test_fallbacks_are_asked_in_order_and_kept_under_their_own_name(cache: Cache) -> None:
    first = ScriptedModel(answer=lambda r: AuthError("no", model="m"))
    second = ScriptedModel("b", answer=lambda r: AuthError("no", model="b"))
    third = ScriptedModel("c", price=DOLLAR)
    config = Config(models={"m": ModelConfig(fallbacks=("b", "c"))})
    caller, ledger = caller_of(first, second, third, cache=cache, config=config), Ledger()
    assert (await caller.call(ask(), ledger)).model == "c"
    assert list(ledger.by_model()) == ["c"]
    assert cache.get(ask()) is None
    assert cache.get(ask(model="c")) is not None
    assert (await caller.call(ask(), ledger)).cached


async def test_when_all_fallbacks_fail_the_first_error_is_raised() -> None:
    first = ScriptedModel(answer=lambda r: AuthError("no key", model="m"))
    second = ScriptedModel("b", answer=lambda r: ServerError("down", model="b"))
    config = Config(models={"m": ModelConfig(fallbacks=("b",))})
    with pytest.raises(AuthError, match="no key") as caught:
        await caller_of(first, second, config=config, retries=0).call(ask(), Ledger())
    assert caught.value.__notes__ == ["fallback b: down"]


async def test_those_who_wait_for_one_call_read_once_what_a_fallback_said() -> None:
    first = ScriptedModel(answer=lambda r: AuthError("no key", model="m"), latency=0.01)
    second = ScriptedModel("b", answer=lambda r: AuthError("down", model="b"))
    caller = caller_of(first, second, config=Config(models={"m": ModelConfig(fallbacks=("b",))}))
    results = await asyncio.gather(*(caller.call(ask(), Ledger()) for _ in range(3)), return_exceptions=True)
    assert [getattr(r, "__notes__", None) for r in results] == [["fallback b: down"]] * 3


async def test_a_model_cannot_stand_in_for_itself() -> None:
    caller = caller_of(ScriptedModel(), config=Config(models={"m": ModelConfig(fallbacks=("m",))}))
    with pytest.raises(ConfigError, match="own fallback"):
        await caller.call(ask(), Ledger())


async def test_a_name_has_the_settings_of_its_target_and_its_own_before_them(cache: Cache) -> None:
    model = ScriptedModel(latency=0.002)
    spare = ScriptedModel("spare")
    target = ModelConfig(concurrency=2, fallbacks=("spare",), price=DOLLAR, params=Params(temperature=0.2, seed=1))
    config = Config(models={"m": target, "quick": ModelConfig(id="m", params=Params(temperature=0.9))})
    caller = caller_of(model, spare, cache=cache, config=config)
    names = [name for name in ("m", "quick") for _ in range(4)]
    await asyncio.gather(*(caller.call(ask(f"q{i}", model=name), Ledger()) for i, name in enumerate(names)))
    assert model.most == 2
    assert model.requests[-1].params == Params(temperature=0.9, seed=1)
    assert caller.model("quick") is caller.model("m")
    model.script.append(AuthError("no", model="m"))
    assert (await caller.call(ask(model="quick"), Ledger())).model == "spare"


async def test_a_name_and_its_target_share_what_the_cache_holds(cache: Cache) -> None:
    model = ScriptedModel(price=DOLLAR, usage=Usage(0, 1))
    config = Config(models={"m": ModelConfig(base_url="http://127.0.0.1:1/v1"), "quick": ModelConfig(id="m")})
    caller = caller_of(model, cache=cache, config=config)
    await caller.call(ask(), Ledger())
    assert (await caller.call(ask(model="quick"), Ledger())).cached
    assert cache.get(ask()) is None
    assert cache.get(ask(), "http://127.0.0.1:1/v1") is not None


async def test_a_name_may_be_the_fallback_of_what_it_stands_for() -> None:
    config = Config(models={"m": ModelConfig(fallbacks=("quick",)), "quick": ModelConfig(id="m")})
    caller = caller_of(ScriptedModel(answer=lambda r: AuthError("no", model="m")), config=config)
    with pytest.raises(AuthError):
        await caller.call(ask(model="quick"), Ledger())


async def test_an_added_model_is_there_after_closing() -> None:
    caller = caller_of(ScriptedModel())
    await caller.aclose()
    assert (await caller.call(ask(), Ledger())).text == "answer 0"


async def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UnknownName, match="no-such-model"):
        await Caller(Config(), cache="off").call(ask(model="no-such-model"), Ledger())


async def test_keys_are_blanked_in_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "sk-very-secret-1")
    monkeypatch.setenv("OTHER_API_KEY", "sk-very-secret-2")
    config = Config(models={"m": ModelConfig(api_key_env="MINE")})
    error = AuthError("bad key sk-very-secret-1, sk-very-secret-2", model="m", hint="not sk-very-secret-1")
    with pytest.raises(AuthError) as caught:
        await caller_of(ScriptedModel(script=[error]), config=config).call(ask(), Ledger())
    assert str(caught.value) == caught.value.message == "m: bad key ***, ***"
    assert caught.value.hint == "not ***"


async def whole(stream: AsyncGenerator[Delta]) -> Response:
    """The response of a stream."""
    *_, last = [delta async for delta in stream]
    assert last.response is not None
    return last.response


def shown(error: BaseException) -> str:
    """All that a traceback shows of an error."""
    return "".join(traceback.format_exception(error)) + str(vars(error))


class Stubborn(Exception):
    """Its text cannot be changed."""

    def __str__(self) -> str:
        return "sent sk-very-secret-1"


@pytest.mark.parametrize("kind", [ConfigError, RuntimeError, ValueError])
async def test_keys_are_blanked_in_notes_and_causes_of_any_error(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE_API_KEY", "sk-very-secret-1")

    def fail(request: Request) -> Exception:
        error = kind("no sk-very-secret-1")
        error.add_note("with sk-very-secret-1")
        error.__cause__ = ValueError("from sk-very-secret-1", ["sk-very-secret-1"])
        error.__cause__.__cause__ = Stubborn()
        return error

    caller = caller_of(ScriptedModel(answer=fail))
    for answer in (caller.call(ask(), Ledger()), whole(caller.stream(ask(), Ledger()))):
        with pytest.raises(kind) as caught:
            await answer
        assert "sk-very" not in shown(caught.value)
        assert "from ***" in shown(caught.value)


async def test_keys_are_blanked_in_what_fallbacks_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_API_KEY", "sk-very-secret-1")
    second = ScriptedModel("b", answer=lambda r: AuthError("no sk-very-secret-1", model="b"))
    first = ScriptedModel(answer=lambda r: AuthError("no", model="m"))
    caller = caller_of(first, second, config=Config(models={"m": ModelConfig(fallbacks=("b",))}))
    for answer in (caller.call(ask(), Ledger()), whole(caller.stream(ask(), Ledger()))):
        with pytest.raises(AuthError) as caught:
            await answer
        assert caught.value.__notes__ == ["fallback b: no ***"]


@pytest.mark.parametrize(
    "options",
    [
        {"budget": float("nan")},
        {"budget": -0.01},
        {"budget": float("inf")},
        {"timeout": 0.0},
        {"timeout": float("nan")},
        {"concurrency": 0},
        {"retries": -1},
    ],
)
def test_an_amount_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    [(name, value)] = options.items()
    with pytest.raises(ConfigError, match=f"{name} is {value}"):
        caller_of(**options)


async def test_closing_closes_the_models() -> None:
    model = ScriptedModel()
    async with caller_of(model) as caller:
        await caller.call(ask(), Ledger())
    assert model.closed


def test_one_caller_serves_one_loop_after_another(cache: Cache) -> None:
    model = ScriptedModel(latency=0.002)
    caller = caller_of(model, cache=cache, concurrency=2)

    async def many(start: int) -> None:
        await asyncio.gather(*(caller.call(ask(f"q{start + i}"), Ledger()) for i in range(6)))

    asyncio.run(many(0))
    asyncio.run(many(6))
    assert (len(model.requests), model.most) == (12, 2)


@pytest.mark.parametrize("asked", [0.0, -5.0, float("nan")])
def test_a_wait_of_nothing_is_no_reason_to_hurry(asked: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def longest(low: float, high: float) -> float:
        return high

    monkeypatch.setattr("compose.models.call.retry.random.uniform", longest)
    error = RateLimited("slow down", model="m", retry_after=asked)
    assert wait_before_retry(error, 3) == pytest.approx(0.008)
