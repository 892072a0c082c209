"""The cap on spending: what a call may cost is set aside before it is made."""

from __future__ import annotations

import asyncio
from collections import deque

from compose.errors import BudgetExceeded

_DUST = 1e-12
"""USD that rounding may add."""


class Budget:
    """Dollars spent, set aside and allowed; `limit=None` only counts.

    A reservation that does not fit now, but might once calls under way turn out
    cheaper than their worst case, waits its turn. One that can never fit raises
    `BudgetExceeded`. So `spent` stays within the limit at any concurrency.
    """

    def __init__(self, limit: float | None = None) -> None:
        self.limit = limit
        self.spent = 0.0
        self.reserved = 0.0
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()

    async def reserve(self, amount: float) -> None:
        """Set `amount` USD aside; pair with one `settle`."""
        if self.limit is None:
            return
        if not self._waiting and self._fits(amount):
            self.reserved += amount
            return
        if self._hopeless(amount):
            raise self.exceeded()
        turn = asyncio.get_running_loop().create_future()
        entry = (amount, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(amount)
            elif entry in self._waiting:
                self._waiting.remove(entry)
                self._grant()
            raise

    def settle(self, reserved: float, cost: float) -> None:
        """Replace a reservation by what the call did cost, 0 if it failed or was cancelled."""
        self.spent += cost
        if self.limit is not None:
            self._give_back(reserved)

    def charge(self, cost: float) -> None:
        """Spend without a reservation, for a call whose cost is known beforehand."""
        if self.limit is not None and self.spent + self.reserved + cost > self.limit + _DUST:
            raise self.exceeded()
        self.spent += cost

    def check(self) -> None:
        """Raise `BudgetExceeded` where more was spent than allowed: a model billed more than could be foreseen.

        Asked before each attempt, so that only what is in flight by then comes on top.
        """
        if self.limit is not None and self.spent > self.limit + _DUST:
            raise self.exceeded()

    def exceeded(self) -> BudgetExceeded:
        """The error that says so."""
        return BudgetExceeded(spent=self.spent + self.reserved, budget=self.limit or 0.0)

    def _fits(self, amount: float) -> bool:
        return self.limit is None or self.spent + self.reserved + amount <= self.limit + _DUST

    def _hopeless(self, amount: float) -> bool:
        return self.limit is not None and self.spent + amount > self.limit + _DUST

    def _give_back(self, amount: float) -> None:
        self.reserved = max(0.0, self.reserved - amount)
        self._grant()

    def _grant(self) -> None:
        while self._waiting:
            amount, turn = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
            elif self._fits(amount):
                self._waiting.popleft()
                self.reserved += amount
                turn.set_result(None)
            elif self._hopeless(amount):
                self._waiting.popleft()
                turn.set_exception(self.exceeded())
            else:
                return
