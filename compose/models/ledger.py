"""What calls did cost: counts, tokens, dollars and seconds, by model and by node.

A ledger holds totals, never responses, so it stays small however long a run is.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from compose.types import Response, Usage

if TYPE_CHECKING:
    from collections.abc import Callable


class Totals:
    """Sums over calls. `usd` is the list price of all of them, `usd_spent` what was paid.

    Either is `None` as soon as one call's price is unknown.

    >>> Totals().usd
    0.0
    """

    __slots__ = ("cached", "calls", "counts", "estimated", "seconds", "usd", "usd_spent")

    def __init__(self) -> None:
        self.calls = 0
        self.cached = 0
        self.counts = [0, 0, 0, 0, 0]
        self.estimated = False
        self.usd: float | None = 0.0
        self.usd_spent: float | None = 0.0
        self.seconds = 0.0

    @property
    def usage(self) -> Usage:
        """Tokens of all calls, cached ones included."""
        return Usage(*self.counts, estimated=self.estimated)

    def add(self, response: Response, spent: float | None) -> None:
        """Count one call; `spent` is what it cost this run, `None` if nobody knows."""
        self.calls += 1
        self.cached += response.cached
        self.seconds += response.seconds
        self.usd = _plus(self.usd, response.usd)
        self.usd_spent = _plus(self.usd_spent, spent)
        usage, counts = response.usage, self.counts
        counts[0] += usage.prompt_tokens
        counts[1] += usage.completion_tokens
        counts[2] += usage.reasoning_tokens
        counts[3] += usage.cached_tokens
        counts[4] += usage.cache_write_tokens
        if usage.estimated:
            self.estimated = True

    def merge(self, other: Totals) -> None:
        """Add the sums of another."""
        self.calls += other.calls
        self.cached += other.cached
        self.seconds += other.seconds
        self.usd = _plus(self.usd, other.usd)
        self.usd_spent = _plus(self.usd_spent, other.usd_spent)
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.estimated = self.estimated or other.estimated


class Ledger:
    """The account of one run, or of a part of it that rolls up to a `parent`.

    >>> run = Ledger(); part = Ledger(run)
    >>> part.record(Response("4", "m", usd=0.5), node="n1", spent=0.5)
    >>> run.usd, run.by_node()["n1"].calls
    (0.5, 1)
    """

    def __init__(self, parent: Ledger | None = None) -> None:
        self.parent: Final = parent
        # One sum by node and model; all others are added up when somebody asks.
        self._cells: dict[tuple[str, str], Totals] = {}
        self._lock = threading.Lock()

    def record(self, response: Response, *, node: str, spent: float | None) -> None:
        """Count a finished call here and in every ledger above."""
        where = (node, response.model)
        ledger: Ledger | None = self
        while ledger is not None:
            with ledger._lock:
                cell = ledger._cells.get(where)
                if cell is None:
                    cell = ledger._cells[where] = Totals()
                cell.add(response, spent)
            ledger = ledger.parent

    @property
    def calls(self) -> int:
        """Calls answered, cached ones included."""
        return self.total.calls

    @property
    def cached(self) -> int:
        """Calls answered without asking a model again."""
        return self.total.cached

    @property
    def usage(self) -> Usage:
        """Tokens of all calls, cached ones included."""
        return self.total.usage

    @property
    def usd(self) -> float | None:
        """List price of all calls, cached or not; `None` if one is unknown."""
        return self.total.usd

    @property
    def usd_spent(self) -> float | None:
        """What this run paid; `None` if the price of a call that it made is unknown."""
        return self.total.usd_spent

    @property
    def seconds(self) -> float:
        """Seconds that the models took for these calls, summed; for a cached call those of the first time."""
        return self.total.seconds

    @property
    def total(self) -> Totals:
        """The sums over everything."""
        return self._grouped(lambda where: "").get("", Totals())

    def by_model(self) -> dict[str, Totals]:
        """Totals by the model that answered."""
        return self._grouped(lambda where: where[1])

    def by_node(self) -> dict[str, Totals]:
        """Totals by the node that asked; calls of no node are not among them."""
        nodes = self._grouped(lambda where: where[0])
        nodes.pop("", None)
        return nodes

    def _grouped(self, key: Callable[[tuple[str, str]], str]) -> dict[str, Totals]:
        groups: dict[str, Totals] = {}
        with self._lock:
            for where, cell in self._cells.items():
                groups.setdefault(key(where), Totals()).merge(cell)
        return groups


def _plus(total: float | None, more: float | None) -> float | None:
    return None if total is None or more is None else total + more
