"""`compose eval`: how good a pipeline or a model is on a benchmark, and what it costs."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from compose.cli.measure import OPTIONS, Job, figures, measure
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, percent, seconds, show, table


@declare("eval", *OPTIONS)
@click.argument("p", metavar="P")
def command(p: str, as_json: bool, seed: int, quiet: bool, **options: Any) -> int:
    """Measure a pipeline or a model on a benchmark.

    Without --benchmark it is `arith`, generated word problems.

    Example:

        compose eval local/smollm2-135m --benchmark arith --limit 8
    """
    done = measure([p], Job(seed=seed, quiet=quiet, **options))
    row = {"benchmark": done.benchmark.name, "split": done.job.split, "pipeline": done.pipelines[p].to_data()}
    row |= figures(done.evaluations[p], done.items)
    if as_json:
        emit("eval", row)
    else:
        _show(p, row)
    return done.close()


def _show(p: str, row: dict[str, Any]) -> None:
    quality, latency, judging = msgspec.to_builtins(row["quality"]), row["latency_s"], row["judging"]
    show(f"{p} on {row['benchmark']} ({row['split']}, {row['n']} items)")
    show(
        f"quality {percent(quality['mean'])}  (95 % interval {percent(quality['low'])} to {percent(quality['high'])})\n"
        f"cost    {dollars(row['usd_per_item'])} an item, {dollars(row['usd'])} in all, "
        f"{dollars(row['usd_spent'])} spent now\n"
        f"calls   {row['calls']} ({row['cached']} cached) in {row['seconds']:.1f} s\n"
        f"latency {seconds(latency['p50'])}"
        + ("" if latency["p50"] is None else f" an item (median), {seconds(latency['p95'])} (95th percentile)")
    )
    if judging["calls"]:
        show(f"judging {judging['calls']} calls ({judging['cached']} cached), {dollars(judging['usd'])}")
    if row["groups"]:
        table(["group", "n", "quality"], [(k, g["n"], percent(g["mean"])) for k, g in row["groups"].items()])
