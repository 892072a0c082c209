"""Random failures and cancellations, all at once: nothing is held afterwards and the budget was kept."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from compose.config import Config, ModelConfig
from compose.errors import AuthError, ServerError
from compose.models.cache import Cache
from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.testing.scripted import ScriptedModel, Step
from compose.types import Message, Params, Price, Request, Usage


@pytest.mark.parametrize("seed", range(5))
async def test_a_storm_leaves_nothing_behind(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.models.call.retry.FIRST_WAIT", 0.002)
    rng = random.Random(seed)

    def answer(request: Request) -> Step:
        luck = rng.random()
        return ServerError("down", model="m") if luck < 0.2 else AuthError("no", model="m") if luck < 0.3 else "fine"

    price = Price(input=0.0, output=1e6)
    model = ScriptedModel("m", answer=answer, latency=0.003, price=price, usage=Usage(0, 2))
    spare = ScriptedModel("spare", latency=0.001, price=price, usage=Usage(0, 3))
    config = Config(models={"m": ModelConfig(concurrency=5, fallbacks=("spare",))})
    caller = Caller(config, cache=Cache(tmp_path / "calls.sqlite"), budget=200.0, concurrency=8, retries=2)
    caller.add(model)
    caller.add(spare)
    ledger = Ledger()

    async def one() -> None:
        ask = Request("m", (Message("user", f"q{rng.randrange(80)}"),), Params(max_tokens=3))
        async with asyncio.timeout(rng.choice((None, 0.001, 0.004, 0.01, 0.03))):
            await caller.call(ask, ledger)

    await asyncio.gather(*(one() for _ in range(300)), return_exceptions=True)
    budget, slots = caller._budget, caller._slots  # pyright: ignore[reportPrivateUsage]
    assert (budget.reserved, slots.taken, model.in_flight, spare.in_flight) == (0, 0, 0, 0)
    assert len(caller._flights) == 0  # pyright: ignore[reportPrivateUsage]
    assert model.most <= 5
    assert caller.spent <= 200.0
    assert (ledger.usd_spent or 0.0) <= caller.spent
    assert len(asyncio.all_tasks()) == 1
