"""Prices: exact where known, unknown where not, and a worst case that is one."""

from __future__ import annotations

import pytest

from compose.cost import DEFAULT_OUTPUT, estimate_tokens, price_of, worst_case
from compose.models.model import Abilities
from compose.types import Message, Params, Price, Request, Usage

PRICE = Price(input=2.0, output=8.0, cached=0.5, cache_write=3.0)


def test_each_kind_of_token_has_its_price() -> None:
    usage = Usage(1_000_000, 500_000, reasoning_tokens=200_000, cached_tokens=400_000, cache_write_tokens=100_000)
    assert price_of(usage, PRICE) == pytest.approx(0.5 * 2 + 0.4 * 0.5 + 0.1 * 3 + 0.5 * 8)


def test_cached_tokens_cost_as_input_where_nothing_else_is_known() -> None:
    assert price_of(Usage(1_000_000, 0, cached_tokens=1_000_000), Price(input=2.0, output=8.0)) == 2.0


def test_batch_halves_and_a_fee_per_call_is_added() -> None:
    assert price_of(Usage(1_000_000, 0), Price(input=2.0, output=8.0, batch=0.5, per_call=0.01)) == pytest.approx(1.01)


@pytest.mark.parametrize("price", [None, Price(), Price(input=2.0), Price(output=8.0)])
def test_what_is_unknown_is_none_and_never_zero(price: Price | None) -> None:
    assert price_of(Usage(10, 10), price) is None
    assert worst_case(Request("m", (Message("user", "hi"),)), price, Abilities()) is None


def test_a_free_model_costs_zero() -> None:
    assert price_of(Usage(10, 10), Price(input=0.0, output=0.0)) == 0.0


@pytest.mark.parametrize(
    ("params", "abilities", "output"),
    [
        (Params(max_tokens=100), Abilities(max_output=50), 50),
        (Params(max_tokens=100), Abilities(), 100),
        (Params(), Abilities(max_output=70), 70),
        (Params(), Abilities(context=2048), 2048),
        (Params(), Abilities(), DEFAULT_OUTPUT),
    ],
)
def test_the_worst_case_takes_the_tightest_limit_on_output(params: Params, abilities: Abilities, output: int) -> None:
    worst = worst_case(Request("m", (Message("user", ""),), params), Price(input=0.0, output=1e6), abilities)
    assert worst == pytest.approx(output)


@pytest.mark.parametrize("text", ["plain words", "naïve café", "日本語の文章です", "🙂" * 20, "x"])
def test_the_worst_case_counts_no_fewer_tokens_than_bytes(text: str) -> None:
    messages = (Message("system", text), Message("user", text))
    worst = worst_case(Request("m", messages, Params(max_tokens=1)), Price(input=1e6, output=0.0), Abilities())
    assert worst is not None
    assert worst >= 2 * len(text.encode())


def test_pictures_and_tools_are_part_of_the_worst_case() -> None:
    price = Price(input=1e6, output=0.0)
    plain = Request("m", (Message("user", "hi"),), Params(max_tokens=1))
    picture = Request("m", (Message("user", [{"type": "image_url", "image_url": {"url": "data:"}}]),), plain.params)
    tools = Request("m", plain.messages, Params(max_tokens=1, tools=({"type": "function", "function": {"name": "f"}},)))
    base = worst_case(plain, price, Abilities())
    assert base is not None
    for more in (picture, tools):
        assert (worst_case(more, price, Abilities()) or 0) > base


def test_estimates_grow_with_text_and_messages() -> None:
    assert estimate_tokens("") == 0
    assert 2 <= estimate_tokens("Hello, world") <= 5
    assert estimate_tokens([Message("user", "a"), Message("user", "a")]) == 2 * estimate_tokens([Message("user", "a")])
