"""What the finished trials of a search tell it: which models work, what they cost, what was tried.

All of it is read off the trials each time, so a search that goes on from its
stored trials knows what it knew when it was stopped.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from compose.pipeline.graph import Pipeline
from compose.search.picks import Axis, axis_of, cost
from compose.search.portfolio import Single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compose.search.record import Failure, Measured, Trial


class Known:
    """A view of a list of trials that may grow; `models` are those of the space."""

    def __init__(self, trials: list[Trial], models: Sequence[str]) -> None:
        self._trials = trials
        self._models = models

    @property
    def dead(self) -> set[str]:
        """Models that answered no item when they were asked alone."""
        return {m.single for t in self._trials if (m := t.measured).single and not works(m)}

    @property
    def failure(self) -> Failure | None:
        """Why the first of them did not work."""
        return next((t.failure for t in self._trials if t.failure), None)

    @property
    def working(self) -> list[Measured]:
        """Pipelines that answered an item at least."""
        return [t.measured for t in self._trials if works(t.measured)]

    @property
    def singles(self) -> dict[str, Single]:
        """Quality and cost of each model that works."""
        axis = self._axis()
        return {str(m.single): Single(m.quality, cost(m, axis)) for m in self._singles()}

    def find(self, data: dict[str, Any]) -> Measured | None:
        """The measurement of this pipeline, `None` where it was not tried."""
        key = Pipeline.from_data(data).key
        return next((t.measured for t in self._trials if t.measured.key == key), None)

    def uses_dead(self, data: dict[str, Any]) -> bool:
        """Whether a pipeline asks a model that does not work."""
        dead = self.dead
        return bool(dead) and not dead.isdisjoint(Pipeline.from_data(data).models())

    def order(self) -> list[str]:
        """Models from cheap to dear, those that were not measured last."""
        known = self.singles
        place = {m: i for i, m in enumerate(self._models)}
        return sorted(place, key=lambda m: (known[m].cost if m in known else math.inf, place[m]))

    def values(self, measured: Measured | None) -> tuple[float, float]:
        """Quality and cost as the sampler is told; the worst of both where there is no measurement."""
        value = cost(measured, self._axis()) if measured else math.nan
        return (measured.quality, value) if measured and math.isfinite(value) else self._worst()

    def best(self, items: int) -> float | None:
        """The best quality of a pipeline that saw that many items."""
        return max((t.measured.quality for t in self._trials if t.measured.items == items), default=None)

    def _singles(self) -> list[Measured]:
        return [m for m in self.working if m.single]

    def _axis(self) -> Axis:
        return axis_of(self._singles())

    def _worst(self) -> tuple[float, float]:
        return 0.0, max((s.cost for s in self.singles.values()), default=1.0) * 10


def works(measured: Measured) -> bool:
    """Whether a pipeline answered any item."""
    return measured.failed < max(measured.items, 1)
