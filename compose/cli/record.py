"""`compose record`: keep a system's outputs on a benchmark as a set for `replay/`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from compose.cli import subject
from compose.cli.eval import KEPT, Which, measure, told
from compose.cli.failure import resumable
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, say, show
from compose.errors import ConfigError

if TYPE_CHECKING:
    from compose.errors import ComposeError
    from compose.evals.evaluate import Evaluation
    from compose.models.call import Caller
    from compose.models.ledger import Ledger
    from compose.types import Request, Response


class Tape:
    """Stands before a caller and keeps what was asked and answered."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.calls: list[tuple[Request, Response]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._caller, name)

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """`Caller.call`, kept."""
        response = await self._caller.call(request, ledger, node=node)
        self.calls.append((request, response))
        return response


@declare("record", "benchmark", "scorer", "data", "split", "limit", "budget", "cache", "config")
@click.argument("p", metavar="P")
@click.option(
    "--as", "name", metavar="SET", required=True, help="Name of the set: replay/SET/MODEL will answer from it."
)
@click.option("--replace", is_flag=True, help="Replace a set of that name.")
def command(
    p: str,
    name: str,
    replace: bool,
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
    """Keep a system's outputs on a benchmark as a set for `replay/`.

    Every call that P's models answered is kept, with prompts, in your own
    folder. A used-up budget keeps what was finished.

    Example:

        compose record local/smollm2-135m --benchmark arith --limit 4 --as mine
    """
    from compose.models.recording import write_recording

    pipeline = subject.read(p)
    chosen = subject.benchmark(benchmark, data=data, seed=seed, scorer=scorer)
    items = chosen.split(split, seed=seed, limit=limit)

    async def work() -> tuple[Evaluation, ComposeError | None, Path]:
        opened = subject.open_caller([pipeline], config=config, data=data, cache=cache, budget=budget)
        async with opened as caller:
            tape = Tape(caller)
            evaluation, stopped = await measure(
                pipeline, chosen, items, cast("Caller", tape), seed=seed, label=p, quiet=quiet
            )
            if not tape.calls:
                raise (
                    stopped
                    or next(iter(evaluation.errors.values()), None)
                    or ConfigError(f"the {split} split of {chosen.name!r} has no items")
                )
            prices = {id: caller.model(id).price for id in pipeline.models()}
            targets = [(item.messages, item.target) for item in items]
            folder = write_recording(name, tape.calls, prices=prices, targets=targets, replace=replace)
            return evaluation, stopped, folder

    with resumable(KEPT):
        evaluation, stopped, folder = asyncio.run(work())
    models = [f"replay/{name}/{id}" for id in pipeline.models()]
    row = {
        "set": name,
        "folder": str(folder),
        "benchmark": chosen.name,
        "n": len(evaluation.scores),
        "models": models,
        "calls": evaluation.ledger.calls,
        "usd_spent": evaluation.ledger.usd_spent,
        "errors": told(evaluation.errors),
    }
    if as_json:
        emit("record", row)
    else:
        show(f"{row['n']} items, {row['calls']} calls, {dollars(evaluation.ledger.usd_spent)} spent; kept in {folder}")
        show(f"ask them again with {', '.join(models)}")
    if stopped is not None:
        say(f"error: {stopped.message}; {row['n']} of {len(items)} items were finished")
        return stopped.exit_status
    return 0
