"""The ledger: sums by model and node, rolled up, unknown staying unknown."""

from __future__ import annotations

from compose.models.ledger import Ledger
from compose.types import Response, Usage


def answer(model: str = "m", usd: float | None = 0.5, *, cached: bool = False) -> Response:
    return Response("t", model, Usage(10, 5, 1, 2, 3), usd=usd, seconds=2.0, cached=cached)


def test_an_empty_ledger_is_all_zero() -> None:
    ledger = Ledger()
    assert (ledger.calls, ledger.cached, ledger.usd, ledger.usd_spent, ledger.seconds) == (0, 0, 0.0, 0.0, 0.0)
    assert ledger.usage == Usage()


def test_list_price_counts_cached_calls_and_spending_does_not() -> None:
    ledger = Ledger()
    ledger.record(answer(), node="a", spent=0.5)
    ledger.record(answer(cached=True), node="b", spent=0.0)
    assert (ledger.calls, ledger.cached, ledger.usd, ledger.usd_spent) == (2, 1, 1.0, 0.5)
    assert ledger.usage == Usage(20, 10, 2, 4, 6)
    assert ledger.seconds == 4.0


def test_one_unknown_price_makes_the_sum_unknown_for_good() -> None:
    ledger = Ledger()
    ledger.record(answer(usd=None, cached=True), node="", spent=0.0)
    ledger.record(answer(), node="", spent=0.5)
    assert ledger.usd is None
    assert ledger.usd_spent == 0.5
    ledger.record(answer(usd=None), node="", spent=None)
    assert ledger.usd_spent is None


def test_a_child_rolls_up_to_every_ledger_above() -> None:
    top = Ledger()
    middle = Ledger(top)
    low, beside = Ledger(middle), Ledger(middle)
    low.record(answer("m1"), node="n1", spent=0.5)
    beside.record(answer("m2"), node="n2", spent=0.5)
    assert (low.calls, beside.calls, middle.calls, top.calls) == (1, 1, 2, 2)
    assert top.usd == 1.0
    assert {model: totals.calls for model, totals in top.by_model().items()} == {"m1": 1, "m2": 1}
    assert {node: totals.usd for node, totals in top.by_node().items()} == {"n1": 0.5, "n2": 0.5}


def test_a_known_model_stays_known_beside_an_unknown_one() -> None:
    ledger = Ledger()
    ledger.record(answer("known"), node="a", spent=0.5)
    ledger.record(answer("unknown", usd=None), node="b", spent=None)
    assert ledger.by_model()["known"].usd == 0.5
    assert ledger.by_node()["b"].usd is None


def test_estimated_tokens_are_marked() -> None:
    ledger = Ledger()
    ledger.record(Response("t", "m", Usage(1, 1, estimated=True)), node="", spent=None)
    assert ledger.usage.estimated
