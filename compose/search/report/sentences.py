"""What a search found in plain sentences: first what to use, then how sure that is."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from compose.search import choice
from compose.search.report.names import model_name, short

if TYPE_CHECKING:
    from compose.search.entry import Entry
    from compose.search.result import SearchResult

UNDERSTATED = "billed but not recorded"
"""What the source of a price says where a recording lacks tokens that cost something."""


def sentences(result: SearchResult) -> list[str]:
    """Plain sentences, the most important first."""
    said = [*_verdict(result), *_doubts(result)]
    return [s for s in said if s]


def percent(share: float) -> str:
    """A fraction as percent, with one decimal."""
    return f"{100 * share:.1f}\u00a0%"


def _verdict(result: SearchResult) -> list[str]:
    single, winner = result.best_single, result.winner
    if single is None or single.model is None:
        return ["The search ended before a model was measured on test, so nothing is recommended."]
    name = model_name(single.model, result.prices)
    if result.too_few:
        return [
            (
                f"Too few items to tell: {result.dev_n} for choosing and {result.test_n} for testing. "
                f"Until there are more, use {name}; treat all figures below as a sketch."
            )
        ]
    if winner is None or winner.model == single.model:
        return [
            (
                f"Use {name} alone: no pipeline was shown to be better, or cheaper and as good. "
                f"It reaches {percent(single.quality)} on test."
            )
        ]
    if result.recommended == "winner":
        return [
            f"Use {short(winner.pipeline, result.prices)}.",
            _comparison(winner, single, name, short(winner.pipeline, result.prices)),
        ]
    return [
        f"Stay with {name} alone.",
        _comparison(winner, single, name, short(winner.pipeline, result.prices)),
        _why_not(winner),
    ]


def _why_not(winner: Entry) -> str:
    if winner.gain is not None and winner.gain.mean < -choice.MARGIN:
        return "That is a loss of more than half a point, so the test does not bear out the choice made on dev."
    return "The test shows neither a gain in quality nor the same quality at a clearly lower price."


def _comparison(winner: Entry, single: Entry, name: str, won: str) -> str:
    gain = winner.gain
    if gain is None:
        return ""
    points = f"{100 * gain.mean:+.1f} points (95 % interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    sure = "The difference is significant." if winner.significant else "The difference in quality is not significant."
    return (
        f"The winner chosen on dev, {won}, reaches {percent(winner.quality)} on test, {name} "
        f"{percent(single.quality)}: {points}. {sure}{_price(winner, single, name)}"
    )


def _price(winner: Entry, single: Entry, name: str) -> str:
    if winner.usd_per_item is None or not single.usd_per_item:
        return ""
    return f" It costs {100 * winner.usd_per_item / single.usd_per_item:.0f} % of {name}'s price an item."


def _doubts(result: SearchResult) -> list[str]:
    said: list[str] = []
    if result.end == "budget":
        said.append(_cut_short(result))
    if result.end == "interrupted":
        said.append("The search was interrupted; what was finished is shown. --resume goes on with it.")
    if result.errors:
        said.append(f"Some models failed: {', '.join(model_name(e['model'], result.prices) for e in result.errors)}.")
    said.extend(
        _understated(id, result.prices) for id, price in result.prices.items() if UNDERSTATED in price.get("source", "")
    )
    return said


def _cut_short(result: SearchResult) -> str:
    """What a budget left undone."""
    models = len(result.prices)
    alone = sum(t.shape == "single" and t.n == result.dev_n for t in result.tried)
    asked = f" {alone} of {models} models were measured." if alone < models else ""
    least = min((e.n for e in (result.best_single, result.winner) if e is not None), default=result.test_n)
    tested = f" The test rests on {least} of {result.test_n} items." if least < result.test_n else ""
    return (
        "The budget ended the search: what is left does not cover the most that the next call can cost "
        f"(--max-tokens lowers that). What was finished is shown.{asked}{tested}"
    )


def _understated(id: str, among: Collection[str]) -> str:
    last = id.rpartition("/")[2]
    return (
        f"The recordings do not hold all tokens that {model_name(id, among)} bills, so its price here is a lower bound; "
        f"search again with --exclude-model {last} to see the rest without it."
    )
