"""`compose eval`: how good a pipeline or a model is on a benchmark, and what it costs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from compose.cli import subject
from compose.cli.failure import resumable
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, percent, progress, say, show, table
from compose.errors import BudgetExceeded, ComposeError, ConfigError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compose.evals.benchmark import Benchmark, Item
    from compose.evals.evaluate import Evaluation
    from compose.models.call import Caller
    from compose.pipeline.graph import Pipeline

Which = Literal["dev", "test", "all"]
KEPT = "finished calls are kept: the same command goes on where it stopped"


@declare("eval", "benchmark", "scorer", "data", "split", "limit", "budget", "cache", "config")
@click.argument("p", metavar="P")
def command(
    p: str,
    benchmark: str | None,
    scorer: str | None,
    data: Path | None,
    split: Which,
    limit: int | None,
    budget: float | None,
    cache: subject.CacheMode | None,
    config: Path | None,
    as_json: bool,
    seed: int,
    quiet: bool,
) -> int:
    """Measure a pipeline or a model on a benchmark.

    Without --benchmark it is `arith`, generated word problems.

    Example:

        compose eval local/smollm2-135m --benchmark arith --limit 8
    """

    pipeline = subject.read(p)
    chosen = subject.benchmark(benchmark, data=data, seed=seed, scorer=scorer)
    items = chosen.split(split, seed=seed, limit=limit)

    async def work() -> tuple[Evaluation, ComposeError | None]:
        opened = subject.open_caller([pipeline], config=config, data=data, cache=cache, budget=budget)
        async with opened as caller:
            return await measure(pipeline, chosen, items, caller, seed=seed, label=p, quiet=quiet)

    with resumable(KEPT):
        evaluation, stopped = asyncio.run(work())
    if not evaluation.scores:
        raise stopped or ConfigError(f"the {split} split of {chosen.name!r} has no items")
    if len(evaluation.errors) == len(evaluation.scores):
        raise next(iter(evaluation.errors.values()))
    row = {"benchmark": chosen.name, "split": split, "pipeline": pipeline.to_data()}
    row |= figures(evaluation, items)
    if as_json:
        emit("eval", row)
    else:
        _show(p, row, quiet=quiet)
    if stopped is not None:
        say(f"error: {stopped.message}; {len(evaluation.scores)} of {len(items)} items were finished")
        return stopped.exit_status
    return 0


async def measure(
    pipeline: Pipeline,
    benchmark: Benchmark,
    items: Sequence[Item],
    caller: Caller,
    *,
    seed: int,
    label: str,
    quiet: bool,
) -> tuple[Evaluation, ComposeError | None]:
    """Run the pipeline on the items; a used-up budget comes back beside what was finished."""
    from compose.evals.evaluate import Evaluation, evaluate

    evaluation = Evaluation()
    with progress(label, total=len(items), quiet=quiet) as advance:

        def on_item(*_: object) -> None:
            advance(len(evaluation.scores))

        try:
            await evaluate(pipeline, benchmark, items, caller, seed=seed, on_item=on_item, into=evaluation)
        except BudgetExceeded as error:
            return evaluation, error
    return evaluation, None


def figures(evaluation: Evaluation, items: Sequence[Item]) -> dict[str, Any]:
    """What was measured, as `compose.eval/1` names it."""
    ledger = evaluation.ledger
    return {
        "n": len(evaluation.scores),
        "quality": evaluation.quality,
        "groups": evaluation.by_group(items),
        "usd": evaluation.usd_total,
        "usd_spent": ledger.usd_spent,
        "usd_per_item": evaluation.usd_per_item,
        "calls": ledger.calls,
        "cached": ledger.cached,
        "errors": told(evaluation.errors),
        "latency_s": {"p50": evaluation.latency_s(0.5), "p95": evaluation.latency_s(0.95)},
        "seconds": evaluation.seconds,
    }


def told(errors: dict[str, ComposeError]) -> list[dict[str, Any]]:
    """The errors of items, as JSON tells them."""
    return [
        {
            "item": item,
            "kind": error.kind,
            "message": error.message,
            "model": error.model if isinstance(error, ModelError) else None,
        }
        for item, error in errors.items()
    ]


def _show(p: str, row: dict[str, Any], *, quiet: bool) -> None:
    quality = msgspec.to_builtins(row["quality"])
    show(f"{p} on {row['benchmark']} ({row['split']}, {row['n']} items)")
    show(
        f"quality {percent(quality['mean'])}  (95 % interval {percent(quality['low'])} to {percent(quality['high'])})\n"
        f"cost    {dollars(row['usd_per_item'])} an item, {dollars(row['usd'])} in all, "
        f"{dollars(row['usd_spent'])} spent now\n"
        f"calls   {row['calls']} ({row['cached']} cached) in {row['seconds']:.1f} s"
    )
    if row["groups"]:
        table(["group", "n", "quality"], [(k, g["n"], percent(g["mean"])) for k, g in row["groups"].items()])
    if row["errors"]:
        first = row["errors"][0]
        say(f"{len(row['errors'])} items failed and count as wrong; the first: {first['message']}", quiet=quiet)
