"""`compose compare`: systems on the same items, with paired tests."""

from __future__ import annotations

import asyncio
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compose.cli import subject
from compose.cli.eval import KEPT, Which, figures, measure
from compose.cli.failure import resumable
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, percent, table
from compose.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compose.evals.benchmark import Benchmark, Item
    from compose.evals.evaluate import Evaluation


@declare("compare", "benchmark", "scorer", "data", "split", "limit", "budget", "cache", "config")
@click.argument("systems", metavar="P Q…", nargs=-1, required=True)
def command(
    systems: tuple[str, ...],
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
) -> None:
    """Compare systems on the same items of a benchmark.

    Every pair is tested on its paired items, two-sided; p is Holm's, over all pairs.

    Example:

        compose compare local/smollm2-135m winner.yaml --benchmark arith --limit 8
    """

    if len(set(systems)) < 2:
        raise ConfigError("compare needs two different systems", hint="compose compare P Q --benchmark B")
    chosen = subject.benchmark(benchmark, data=data, seed=seed, scorer=scorer)
    items = chosen.split(split, seed=seed, limit=limit)

    async def work() -> dict[str, Evaluation]:
        pipelines = {name: subject.read(name) for name in systems}
        done: dict[str, Evaluation] = {}
        opened = subject.open_caller(pipelines.values(), config=config, data=data, cache=cache, budget=budget)
        async with opened as caller:
            for name, pipeline in pipelines.items():
                done[name], stopped = await measure(pipeline, chosen, items, caller, seed=seed, label=name, quiet=quiet)
                if stopped is not None:
                    raise stopped
        return done

    with resumable(KEPT):
        done = asyncio.run(work())
    rows = _rows(chosen, items, done)
    if as_json:
        emit("compare", {"benchmark": chosen.name, "split": split, **rows})
    else:
        _show(rows)


def _rows(benchmark: Benchmark, items: Sequence[Item], done: dict[str, Evaluation]) -> dict[str, Any]:
    from compose.evals.statistics import holm, paired_difference

    pairs = list(combinations(done, 2))
    tests = [paired_difference(done[a].scores, done[b].scores) for a, b in pairs]
    adjusted = holm([t.p for t in tests])
    return {
        "n": len(items),
        "systems": [{"system": name, **figures(evaluation, items)} for name, evaluation in done.items()],
        "diffs": [
            {"a": a, "b": b, "diff": t.diff, "p": p, "better": None if p > 0.05 else a if t.diff.mean > 0 else b}
            for (a, b), t, p in zip(pairs, tests, adjusted, strict=True)
        ],
    }


def _show(rows: dict[str, Any]) -> None:
    table(
        ["system", "quality", "low", "high", "USD an item"],
        [
            (
                s["system"],
                *(percent(getattr(s["quality"], k)) for k in ("mean", "low", "high")),
                dollars(s["usd_per_item"]),
            )
            for s in rows["systems"]
        ],
    )
    table(
        ["a", "b", "a - b", "low", "high", "p", "better"],
        [
            (
                d["a"],
                d["b"],
                *(f"{100 * getattr(d['diff'], k):+.1f}" for k in ("mean", "low", "high")),
                f"{d['p']:.3f}",
                d["better"] or "neither",
            )
            for d in rows["diffs"]
        ],
    )
