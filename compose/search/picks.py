"""What dev says: the best single model, the winner and the front, from the trials that saw every item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from compose.search import choice

if TYPE_CHECKING:
    from compose.search.record import Measured, Trial

MOST_ON_FRONT = 8
"""Pipelines of the dev front that are measured on test."""

Axis = Literal["usd", "latency", "calls"]


class Picks(NamedTuple):
    """What dev says: rows of the record's trials."""

    single: Trial
    winner: Trial
    front: list[Trial]
    axis: Axis

    def to_test(self) -> list[Trial]:
        """What is worth measuring on test, the most needed first, each once."""
        every = [self.single, self.winner, *self.front]
        return list({t.measured.key: t for t in every}.values())


def axis_of(measured: list[Measured]) -> Axis:
    """What cost means here: dollars where all are known and not nothing, else seconds, else calls."""
    dollars = [m.usd_per_item for m in measured]
    if all(d is not None for d in dollars) and any(dollars):
        return "usd"
    return "latency" if all(m.latency_s is not None for m in measured) and measured else "calls"


def cost(measured: Measured, axis: Axis) -> float:
    """Mean cost of an item on that axis; `nan` where it is unknown."""
    if axis == "usd":
        value = measured.usd_per_item
    else:
        value = measured.latency_s if axis == "latency" else measured.calls / max(measured.items, 1)
    return float("nan") if value is None else value


def pick(trials: list[Trial], dev_n: int) -> Picks | None:
    """Best single, winner and front by the trials that saw every dev item; `None` without a single."""
    full = [t for t in trials if t.measured.items == dev_n and t.measured.failed < dev_n]
    rows = [i for i, t in enumerate(full) if t.measured.single is not None]
    if not rows:
        return None
    axis = axis_of([t.measured for t in full])
    scores = np.array([t.measured.scores for t in full], dtype=np.float64)
    costs = np.array([cost(t.measured, axis) for t in full])
    single = choice.best_single(scores, costs, rows)
    best = choice.winner(scores, costs, single, tried=len(trials))
    front = choice.front([float(s.mean()) for s in scores], [float(c) for c in costs])
    return Picks(full[single], full[best], [full[i] for i in _thinned(front)], axis)


def _thinned(front: list[int]) -> list[int]:
    """At most `MOST_ON_FRONT` of the front: both ends and evenly between."""
    if len(front) <= MOST_ON_FRONT:
        return front
    places = {round(i * (len(front) - 1) / (MOST_ON_FRONT - 1)) for i in range(MOST_ON_FRONT)}
    return [front[i] for i in sorted(places)]
