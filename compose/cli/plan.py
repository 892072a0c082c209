"""`compose plan`: how many items, and how many dollars, it takes to see a gain."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compose.cli import subject
from compose.cli.options import Finite
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, percent, show
from compose.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compose.evals.benchmark import Item
    from compose.pipeline.graph import Pipeline

PRICED = 50
"""Items whose price is averaged."""


@declare("plan", "benchmark", "data", "model", "budget", "config")
@click.option(
    "--gain", type=Finite(0, 1, min_open=True), default=0.02, show_default=True, help="Gain in quality to be seen."
)
@click.option(
    "--power",
    type=Finite(0, 1, min_open=True, max_open=True),
    default=0.8,
    show_default=True,
    help="Chance to see the gain where there is one.",
)
@click.option(
    "--disagree",
    type=Finite(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="Share of items on which the two systems' marks differ.",
)
def command(
    benchmark: str | None,
    data: Path | None,
    models: tuple[str, ...],
    budget: float | None,
    config: Path | None,
    gain: float,
    power: float,
    disagree: float,
    as_json: bool,
    seed: int,
) -> None:
    """Say how many items and dollars it takes to see a gain.

    For a paired two-sided test at .05. Dollars are those of one call per item to
    the models given. Says too how many test items there are, how many of them
    --budget pays for, and the chance that these see the gain.

    Example:

        compose plan --benchmark arith --gain 0.1
    """
    from compose.evals.statistics import items_needed
    from compose.evals.statistics import power as power_of

    if gain > disagree:
        raise ConfigError(
            f"two systems that differ on {percent(disagree)} of the items cannot be {percent(gain)} apart",
            hint=f"lower --gain, or --disagree {gain:g} and above",
        )
    chosen = subject.benchmark(benchmark, data=data, seed=seed)
    items = chosen.split("test", seed=seed)
    sd = math.sqrt(disagree - gain**2) or 1e-9
    needed = items_needed(gain, sd=sd, power=power)
    each = asyncio.run(_usd_per_item(models or tuple(chosen.models()[:1]), items, config, data))
    affordable = _affordable(len(items), budget, each)
    had = min(needed, len(items) if affordable is None else affordable)
    chance = power_of(gain, had, sd=sd) if had else 0.0
    row = {
        "items": needed,
        "usd": None if each is None else each * needed,
        "power": chance,
        "available": len(items),
        "affordable": affordable,
        "gain": gain,
        "usd_per_item": each,
    }
    if as_json:
        emit("plan", row)
        return
    show(f"{needed} items see a gain of {percent(gain)} with a chance of {percent(power)}: {dollars(row['usd'])}")
    within = "" if budget is None else f", {'unknown' if affordable is None else affordable} within {dollars(budget)}"
    show(f"{chosen.name} has {len(items)} test items{within}: the chance on {had} of them is {percent(chance)}")


def _affordable(n: int, budget: float | None, each: float | None) -> int | None:
    """How many of `n` items the budget pays for; None where nobody knows."""
    if budget is None:
        return n
    if each is None:
        return None
    return min(n, int(budget / each)) if each else n


async def _usd_per_item(
    models: Sequence[str], items: Sequence[Item], config: Path | None, data: Path | None
) -> float | None:
    """What one call to each model costs per item, averaged over the first items; None where unknown."""
    from compose.techniques.generate import generate

    pipelines: list[Pipeline] = [generate(model) for model in models]
    async with subject.open_caller(pipelines, config=config, data=data) as caller:
        sample = items[:PRICED]
        costs = [p.explain(item.messages, caller=caller).usd for p in pipelines for item in sample]
    if any(cost is None for cost in costs):
        return None
    return sum(cost.expected for cost in costs if cost is not None) / max(1, len(sample))
