"""The part of a budget that is kept back while a search explores, so that its picks can be measured on test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compose.errors import BudgetExceeded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from compose.models.call import Caller
    from compose.models.ledger import Ledger
    from compose.models.model import Delta
    from compose.types import Request, Response


class Reserve:
    """Stands before a caller and refuses calls that would use what is kept back: `amount` of its budget, in USD.

    A call under way is taken to cost what the dearest one so far did.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._budget = caller.budget
        self._dearest = 0.0
        self._under_way = 0
        self.amount = 0.0

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """`Caller.call`. Raises `BudgetExceeded` where only what is kept back is left."""
        if self._budget is not None and self.amount:
            needed = self._caller.spent + self.amount + self._dearest * (self._under_way + 1)
            if needed > self._budget:
                raise BudgetExceeded(spent=needed, budget=self._budget)
        self._under_way += 1
        try:
            response = await self._caller.call(request, ledger, node=node)
        finally:
            self._under_way -= 1
        self._dearest = max(self._dearest, response.usd or 0.0)
        return response

    def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """`Caller.stream`: a search does not stream."""
        return self._caller.stream(request, ledger, node=node)
