"""The portfolio: pipelines known to be good, tried before anything is sampled.

Every model alone comes first: their quality and price on dev order all that
follows. Then cascades that ask cheap models and hand what they do not agree on
to one of the best, in turn with ensembles of the best that vote and, for models
that answer new prompts, with one or two of each further shape.
"""

from __future__ import annotations

import math
from itertools import combinations, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from compose.search.space import Space

Params = dict[str, Any]
CHEAP = 5
"""How many cheap models cascades begin with."""


class Single(NamedTuple):
    """What is known of one model alone: mean quality and cost of an item on dev."""

    quality: float
    cost: float


def singles(space: Space, prices: Mapping[str, Mapping[str, Any]]) -> list[Params]:
    """Each model alone, by list price, so that a small budget learns of many; unknown prices come last."""

    def rate(model: str) -> float:
        price = prices.get(model, {})
        into, out = price.get("input"), price.get("output")
        return math.inf if into is None or out is None else into + out

    return [{"shape": "single", "single.model": model} for model in sorted(space.models, key=rate)]


def portfolio(space: Space, known: Mapping[str, Single]) -> list[Params]:
    """The seeds after the singles, best bets first, those that the space does not allow left out."""
    by_quality = sorted(known, key=lambda m: (-known[m].quality, known[m].cost))
    if not by_quality:
        return []
    anew = [m for m in by_quality if m not in space.recorded]
    seeds = interleave(_cascades(by_quality, known), _ensembles(by_quality), _fresh(anew) if anew else iter(()))
    return [seed for seed in seeds if space.allows(seed)]


def efficient(known: Mapping[str, Single]) -> list[str]:
    """The models that no cheaper one equals, cheapest first."""
    kept: list[str] = []
    for model in sorted(known, key=lambda m: (known[m].cost, -known[m].quality)):
        if not kept or known[model].quality > known[kept[-1]].quality:
            kept.append(model)
    return kept


def interleave(*kinds: Iterator[Params]) -> Iterator[Params]:
    """One of each in turn."""
    for row in zip_longest(*kinds):
        yield from (seed for seed in row if seed is not None)


def _cascades(by_quality: Sequence[str], known: Mapping[str, Single]) -> Iterator[Params]:
    best = by_quality[0]
    cheaper = [m for m in efficient(known) if known[m].cost < known[best].cost]
    rest = [m for m in by_quality if m not in cheaper and known[m].cost < known[best].cost]
    first = (cheaper + rest)[:CHEAP]
    for pair in combinations(first, 2):
        yield cascade((*pair, best), 2, "last")
    for size in (3, 4):
        for group in combinations(first, size):
            for agree in (2, 3):
                yield cascade((*group, best), agree, "vote")


def _ensembles(by_quality: Sequence[str]) -> Iterator[Params]:
    for size in (3, 5, 7):
        if len(by_quality) >= size:
            yield {
                "shape": "ensemble",
                "ensemble.size": size,
                **{f"ensemble.model.{i}": m for i, m in enumerate(by_quality[:size])},
            }


def _fresh(by_quality: Sequence[str]) -> Iterator[Params]:
    best = by_quality[0]
    for n in (3, 5):
        yield {"shape": "samples", "samples.model": best, "samples.n": n, "samples.temperature": 0.8}
    for shape in ("best_of", "ranked", "verified"):
        yield _judged(shape, best)
    for critique in (False, True):
        yield {**_judged("fused", best), "fused.critique": critique}


def _judged(shape: str, model: str) -> Params:
    drawn = {"model": model, "judge": model, "n": 3, "temperature": 0.8}
    return {"shape": shape, **{f"{shape}.{name}": value for name, value in drawn.items()}}


def cascade(models: Sequence[str], agree: int, final: str) -> Params:
    """The choices that make a cascade of these models."""
    return {
        "shape": "cascade",
        "cascade.length": len(models),
        "cascade.agree": agree,
        "cascade.final": final,
        **{f"cascade.model.{i}": model for i, model in enumerate(models)},
    }
