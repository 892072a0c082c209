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
from compose.cli.output import dollars, emit, percent, say, show
from compose.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compose.evals.benchmark import Item
    from compose.pipeline.graph import Pipeline

PRICED = 50
"""Items whose price is averaged."""


@declare("plan", "benchmark", "data", "model", "budget", "config")
@click.option("--gain", type=Finite(0, 1, min_open=True), default=0.02, show_default=True, help="To be seen.")
@click.option("--power", type=Finite(0, 1, min_open=True, max_open=True), default=0.8, show_default=True)
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
    quiet: bool,
) -> None:
    """Say how many items and dollars it takes to see a gain.

    For a paired two-sided test at .05. With --budget also what that much buys.
    Dollars are those of one call per item to the models given.

    Example:

        compose plan --benchmark arith --gain 0.1
    """
    from compose.evals.statistics import items_needed
    from compose.evals.statistics import power as power_of

    if gain > disagree:
        raise ConfigError(f"a gain of {gain} needs at least as large a share of disagreement, not {disagree}")
    chosen = subject.benchmark(benchmark, data=data, seed=seed)
    items = chosen.split("test", seed=seed)
    sd = math.sqrt(disagree - gain**2) or 1e-9
    needed = items_needed(gain, sd=sd, power=power)
    each = asyncio.run(_usd_per_item(models or tuple(chosen.models()[:1]), items, config, data))
    affordable = needed if budget is None or not each else min(needed, int(budget / each))
    row = {
        "items": needed,
        "usd": None if each is None else each * needed,
        "power": power_of(gain, min(affordable, len(items)), sd=sd),
        "available": len(items),
        "affordable": affordable,
        "gain": gain,
        "usd_per_item": each,
    }
    if as_json:
        emit("plan", row)
        return
    show(f"{needed} items see a gain of {percent(gain)} with a chance of {percent(power)}: {dollars(row['usd'])}")
    if needed > min(len(items), affordable):
        say(f"{min(len(items), affordable)} can be had: the chance is {percent(row['power'])}", quiet=quiet)


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
