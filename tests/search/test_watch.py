"""Latency is the critical path of an item's calls, whatever the clock on the wall said."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.search.watch import Watch
from compose.types import Message, Request, Response


class Instant:
    """Answers at once and says that it took as many seconds as its sample index."""

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """Answer."""
        return Response("", request.model, seconds=float(request.sample))


def ask(watch: Watch, seconds: int, run: Ledger) -> Any:
    return watch.call(Request("m", (Message("user", "?"),), sample=seconds), Ledger(run))


async def test_calls_in_turn_add_up_and_calls_side_by_side_do_not() -> None:
    watch = Watch(cast(Caller, Instant()))
    run = Ledger()
    await ask(watch, 1, run)
    await asyncio.gather(*(ask(watch, s, run) for s in (2, 5, 3)))
    await ask(watch, 4, run)
    assert watch.mean() == 10.0


async def test_runs_are_kept_apart_and_forgotten_once_told() -> None:
    watch = Watch(cast(Caller, Instant()))
    await asyncio.gather(ask(watch, 2, Ledger()), ask(watch, 4, Ledger()))
    assert watch.mean() == 3.0
    assert watch.mean() is None


async def test_untimed_calls_have_no_latency() -> None:
    watch = Watch(cast(Caller, Instant()))
    await ask(watch, 0, Ledger())
    assert watch.mean() is None
