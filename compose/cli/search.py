"""`compose search`: find the pipelines worth their cost for a benchmark."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compose.cli import subject
from compose.cli.interrupt import run_stoppable
from compose.cli.options import command as declare
from compose.cli.output import emit, progress
from compose.cli.searched import advance, show_plan, show_result
from compose.errors import ConfigError
from compose.registry import names

if TYPE_CHECKING:
    from compose.cli.output import Progress as Bar
    from compose.search.result import SearchResult

EMBEDDED_ITEMS, EMBEDDED_TRIALS, EMBEDDED_TOKENS, EMBEDDED_LEVELS = 24, 4, 24, (1,)
"""What the search takes when no benchmark is named: a minute or so on two cores. It shows the way, and tells little."""
TRIALS = 64
BUDGET_REACHED = 4


@declare(
    "search",
    "benchmark",
    "scorer",
    "data",
    "limit",
    "model",
    "exclude",
    "budget",
    "resume",
    "dry_run",
    "out",
    "cache",
    "config",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    help=f"Distinct pipelines to try. [default: {TRIALS}; {EMBEDDED_TRIALS} without --benchmark]",
)
@click.option(
    "--sampler", type=click.Choice(names("samplers")), default="tpe", show_default=True, help="What proposes pipelines."
)
@click.option("--space", type=click.Path(dir_okay=False, path_type=Path), help="A space.yaml to search instead.")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Most tokens of any answer.")
@click.option("--open", "show_report", is_flag=True, help="Open the report in a browser.")
def command(
    benchmark: str | None,
    scorer: str | None,
    data: Path | None,
    limit: int | None,
    models: tuple[str, ...],
    exclude: tuple[str, ...],
    budget: float | None,
    resume: bool,
    dry_run: bool,
    out: Path | None,
    cache: subject.CacheMode | None,
    config: Path | None,
    trials: int | None,
    sampler: str,
    space: Path | None,
    max_tokens: int | None,
    show_report: bool,
    as_json: bool,
    seed: int,
    quiet: bool,
) -> int:
    """Find the pipelines worth their cost for a benchmark.

    Chooses on one half of the items and measures once on the other. Without
    --benchmark it runs on 24 generated word problems of one step with a small
    model in process, whose answers are cut at 24 tokens: that shows the way, and
    is too little to tell. Writes winner.yaml, report.html, the study and the
    record to --out (default: a new folder under runs/). Models are by default
    the benchmark's recorded ones, else the embedded one.

    Example:

        compose search --trials 8
    """
    from compose.search.search import search

    if resume and out is None:
        raise ConfigError("--resume needs the folder of the search to go on with", hint="--out DIR")
    embedded = benchmark is None
    easy = {"levels": EMBEDDED_LEVELS, "brief": True} if embedded else {}
    chosen = subject.benchmark(benchmark, data=data, seed=seed, scorer=scorer, **easy)
    folder = out or Path("runs") / time.strftime(f"{chosen.name}-%Y%m%d-%H%M%S")

    async def work(bar: Bar) -> SearchResult:
        async with subject.open_caller(config=config, data=data, cache=cache, budget=budget) as caller:
            return await search(
                chosen,
                caller=caller,
                out=folder,
                models=models or None,
                exclude=exclude,
                trials=trials or (EMBEDDED_TRIALS if embedded else TRIALS),
                sampler=sampler,
                seed=seed,
                resume=resume,
                dry_run=dry_run,
                limit=limit or (EMBEDDED_ITEMS if embedded else None),
                space=subject.space(space) if space else None,
                max_tokens=max_tokens or (EMBEDDED_TOKENS if embedded and not models else None),
                on_progress=lambda at: advance(bar, at),
            )

    hint = f"what was finished is in {folder}: the same command with --out {folder} --resume goes on"
    with progress("searching", quiet=quiet) as bar:
        result = run_stoppable(work(bar), hint)
    if as_json:
        emit("search", result.to_json())
    elif dry_run:
        show_plan(result)
    else:
        show_result(result, folder)
    if show_report and result.report:
        click.launch(result.report)
    return BUDGET_REACHED if result.end == "budget" else 0
