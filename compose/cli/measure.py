"""What `eval`, `record` and `compare` share: systems run on the items of a benchmark, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from compose.cli import subject
from compose.cli.interrupt import run_stoppable
from compose.cli.output import progress, say
from compose.errors import BudgetExceeded, ConfigError, ModelError

if TYPE_CHECKING:
    from compose.evals.benchmark import Benchmark, Item
    from compose.evals.evaluate import Evaluation
    from compose.models.call import Caller
    from compose.pipeline.graph import Pipeline
    from compose.pipeline.run import Calls

OPTIONS = ("benchmark", "scorer", "data", "split", "limit", "budget", "cache", "config")
"""The shared options that make a `Job`."""
_KEPT = "finished calls are kept: the same command goes on where it stopped"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure on and with: the values of `OPTIONS`, `--seed` and `--quiet`."""

    benchmark: str | None
    scorer: str | None
    data: Path | None
    split: Literal["dev", "test", "all"]
    limit: int | None
    budget: float | None
    cache: subject.CacheMode | None
    config: Path | None
    seed: int
    quiet: bool


class Measured:
    """Systems on the same items, by name; `stopped` is the used-up budget that ended it early."""

    def __init__(self, job: Job, systems: Iterable[str]) -> None:
        self.job = job
        self.pipelines: dict[str, Pipeline] = {name: subject.read(name) for name in systems}
        self.benchmark: Benchmark = subject.benchmark(job.benchmark, data=job.data, seed=job.seed, scorer=job.scorer)
        self.items: list[Item] = self.benchmark.split(job.split, seed=job.seed, limit=job.limit)
        self.evaluations: dict[str, Evaluation] = {}
        self.stopped: BudgetExceeded | None = None

    def close(self) -> int:
        """Tell which items failed and whether the budget ended it; the exit status."""
        for name, evaluation in self.evaluations.items():
            if errors := list(evaluation.errors.values()):
                told = f"{len(errors)} of {len(evaluation.scores)} items failed and count as wrong"
                say(f"{name}: {told}; the first: {errors[0].message}", quiet=self.job.quiet)
        if self.stopped is None:
            return 0
        done = (f"{name} ({len(e.scores)} of {len(self.items)} items)" for name, e in self.evaluations.items())
        say(f"error: {self.stopped.message}; finished: {', '.join(done)}")
        return self.stopped.exit_status


def measure(
    systems: Iterable[str], job: Job, *, through: Callable[[Caller], Calls] = lambda caller: caller
) -> Measured:
    """Run systems one after another on the items; a used-up budget keeps what was finished.

    `through` may put something before the caller. Raises the first error where
    no item of any system went well.
    """
    measured = Measured(job, systems)
    if not measured.items:
        raise ConfigError(f"the {job.split} split of {measured.benchmark.name!r} has no items")
    run_stoppable(_work(measured, through), _KEPT)
    if not measured.evaluations:
        raise measured.stopped or ConfigError("no system to measure")
    errors = [list(e.errors.values()) for e in measured.evaluations.values() if len(e.errors) == len(e.scores)]
    if len(errors) == len(measured.evaluations):
        raise errors[0][0]
    return measured


async def _work(measured: Measured, through: Callable[[Caller], Calls]) -> None:
    from compose.evals.evaluate import Evaluation

    job = measured.job
    opened = subject.open_caller(
        measured.pipelines.values(), config=job.config, data=job.data, cache=job.cache, budget=job.budget
    )
    async with opened as caller:
        calls = through(caller)
        for name in measured.pipelines:
            evaluation = Evaluation()
            try:
                await _one(measured, name, calls, evaluation)
            except BudgetExceeded as error:
                measured.stopped = error
            if evaluation.scores:
                measured.evaluations[name] = evaluation
            if measured.stopped:
                return


async def _one(measured: Measured, name: str, calls: Calls, into: Evaluation) -> None:
    from compose.evals.evaluate import evaluate

    pipeline, benchmark, items, job = measured.pipelines[name], measured.benchmark, measured.items, measured.job
    with progress(name, total=len(items), quiet=job.quiet) as advance:

        def on_item(*_: object) -> None:
            advance(len(into.scores))

        await evaluate(
            pipeline,
            benchmark,
            items,
            calls,
            seed=job.seed,
            on_item=on_item,
            into=into,
        )


def figures(evaluation: Evaluation, items: Iterable[Item]) -> dict[str, Any]:
    """What was measured, as `compose.eval/1` names it."""
    return {
        "n": len(evaluation.scores),
        "quality": evaluation.quality,
        "groups": evaluation.by_group(items),
        "usd": evaluation.usd_total,
        "usd_spent": evaluation.usd_spent,
        "usd_per_item": evaluation.usd_per_item,
        "calls": evaluation.ledger.calls,
        "cached": evaluation.ledger.cached,
        "judging": judging(evaluation),
        "errors": told(evaluation),
        "latency_s": {"p50": evaluation.latency_s(0.5), "p95": evaluation.latency_s(0.95)},
        "seconds": evaluation.seconds,
    }


def judging(evaluation: Evaluation) -> dict[str, Any]:
    """The calls of judges, which are not the pipeline's, and their list price."""
    ledger = evaluation.judging
    return {"calls": ledger.calls, "cached": ledger.cached, "usd": ledger.usd}


def told(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The errors of items, as JSON tells them."""
    return [
        {
            "item": item,
            "kind": error.kind,
            "message": error.message,
            "model": error.model if isinstance(error, ModelError) else None,
        }
        for item, error in evaluation.errors.items()
    ]
