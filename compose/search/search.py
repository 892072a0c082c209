"""The search itself: dev, then once on test, then what is written.

The life of a search: `space` proposes pipeline data, whose canonical JSON is its
key, so nothing is evaluated twice; `explore` chooses what is tried, `racing`
runs it on dev items through the same runner and cache as everything else,
`study` stores it; `result` picks and concludes. Everything that is decided
depends on what is stored, so a search that was killed goes on and ends as it
would have.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from compose.errors import BudgetExceeded, ConfigError
from compose.evals.evaluate import Evaluation
from compose.pipeline.files import to_yaml
from compose.pipeline.graph import Pipeline
from compose.search import setup
from compose.search.explore import Explorer
from compose.search.picks import pick
from compose.search.progress import OnProgress, Teller
from compose.search.racing import Track
from compose.search.record import NAME as RECORD
from compose.search.record import Record, Setup, write_record
from compose.search.report import render_report
from compose.search.reserve import Reserve
from compose.search.result import SearchResult, conclude
from compose.search.space import Space, derive
from compose.search.study import Study, held, open_study
from compose.search.tally import LOG, Tally
from compose.whole import write_whole

if TYPE_CHECKING:
    from compose.evals.benchmark import Benchmark, Item
    from compose.models.call import Caller


async def search(
    benchmark: Benchmark,
    *,
    caller: Caller,
    out: Path,
    models: Sequence[str] | None = None,
    exclude: Iterable[str] = (),
    trials: int = 64,
    sampler: str = "tpe",
    seed: int = 0,
    resume: bool = False,
    dry_run: bool = False,
    limit: int | None = None,
    space: Space | None = None,
    max_tokens: int | None = None,
    on_progress: OnProgress | None = None,
) -> SearchResult:
    """Find the pipelines that are worth their cost, and write them to `out`.

    `trials` distinct pipelines are run on dev, fewer where the space or the
    caller's budget ends first: then the result's `end` is `budget`. `limit` keeps that many items, half of them for test, `max_tokens`
    bounds every answer of the default `space`. Written are
    `winner.yaml`, `space.yaml`, `report.html`, the study and the record.

    Raises `ConfigError` for a folder that another search holds or that holds
    one that was set up differently, `UnknownName`, and the `ModelError` of the
    first model where none works. A cancelled search keeps what was finished.
    """
    ids = setup.chosen(models or (space.models if space else benchmark.models()), exclude)
    recorded = [id for id in ids if caller.model(id).stored]
    if space is None:
        space = derive(models=ids, answer=benchmark.answer, recorded=recorded, max_tokens=max_tokens)
    space = space.only(ids)
    dev, test = setup.items(benchmark, seed, limit)
    asked = Setup(
        benchmark=benchmark.name,
        answer=benchmark.answer,
        seed=seed,
        sampler=sampler,
        models=tuple(ids),
        space=msgspec.to_builtins(space),
        dev=tuple(item.id for item in dev),
        test=tuple(item.id for item in test),
        items=setup.digest(benchmark, [*dev, *test]),
        recorded=len(recorded) == len(ids),
        version=setup.version(),
        prices={id: setup.price(caller, id) for id in ids},
        licence=benchmark.licence,
    )
    if dry_run:
        result = conclude(Record(setup=asked, wanted=trials, end="dry_run"))
        result.estimate = setup.estimate(ids, dev, caller)
        return result
    with held(out):
        try:
            study = open_study(out, asked, resume=resume)
            space.save(out / "space.yaml")
            record = Record(setup=asked, trials=list(study.trials), wanted=trials)
            run = _Search(benchmark, caller, study, record, space, out, recorded, on_progress)
            return await run.all(dev, test)
        except OSError as error:
            raise ConfigError(
                f"cannot write to {str(out)!r}: {error.strerror or error}",
                hint="make room, then go on with --resume",
            ) from error


class _Search:
    """One search under way: what it stands on, and the record it fills."""

    def __init__(
        self,
        benchmark: Benchmark,
        caller: Caller,
        study: Study,
        record: Record,
        space: Space,
        out: Path,
        recorded: Sequence[str],
        on_progress: OnProgress | None,
    ) -> None:
        self.record = record
        self.out = out
        self.recorded = recorded
        self.teller = Teller(on_progress)
        self.reserve = Reserve(caller)
        self.tally = Tally(self.reserve, out / LOG, recorded=recorded)
        asked = record.setup
        self.track = Track(
            benchmark,
            self.tally,
            seed=asked.seed,
            recorded=asked.recorded,
            on_item=self.teller.item,
            recovered=self.tally.take,
        )
        self.explorer = Explorer(study, record, space, self.track, self.tally, self.teller, self.reserve)

    async def all(self, dev: Sequence[Item], test: Sequence[Item]) -> SearchResult:
        """Dev, then test, then what is written; what was finished is written in any case."""
        began = time.perf_counter()
        record = self.record
        record.end = "interrupted"
        try:
            explored = await self._within_budget(self._explore(dev))
            tested = await self._within_budget(self._test(test))
            record.end = "done" if explored and tested else "budget"
            known = self.explorer.known
            if not known.working and known.failure:
                raise known.failure.error()
        finally:
            record.seconds = time.perf_counter() - began
            write_record(record, self.out / RECORD)
        return self._written(len(dev))

    async def _within_budget(self, part: Awaitable[None]) -> bool:
        """Whether a part came to its end before the budget did."""
        try:
            await part
        except BudgetExceeded:
            return False
        return True

    async def _explore(self, dev: Sequence[Item]) -> None:
        """Go on where the study ends. Recorded answers count as paid at their first use, and it has used these."""
        for trial in self.record.trials:
            if trial.measured.single in self.recorded:
                await self.track.measure(trial.measured.pipeline, dev)
        await self.explorer.explore(dev)

    async def _test(self, test: Sequence[Item]) -> None:
        """Measure the picks on test, each once; a used-up budget keeps what was measured by then."""
        picks = pick(self.record.trials, len(self.record.setup.dev))
        wanted = picks.to_test() if picks else []
        best = self.explorer.known.best(len(self.record.setup.dev))
        self.tally.begin("test")
        self.reserve.amount = 0.0
        for done, trial in enumerate(wanted):
            self.teller.pipeline("test", done, len(wanted), len(test), best)
            evaluation = Evaluation()
            data = trial.measured.pipeline
            try:
                measured = await self.track.measure(data, test, into=evaluation)
            except BudgetExceeded:
                part = self.track.measured(Pipeline.from_data(data), test, evaluation)
                if part.items:
                    self.record.test.append(part)
                raise
            self.record.test.append(measured)
        self.teller.pipeline("test", len(wanted), len(wanted), len(test), best)

    def _written(self, dev_n: int) -> SearchResult:
        result = conclude(self.record)
        picks = pick(self.record.trials, dev_n)
        if picks:
            write_whole(self.out / "winner.yaml", to_yaml(Pipeline.from_data(picks.winner.measured.pipeline)))
        report = self.out / "report.html"
        write_whole(report, render_report(result))
        result.report = str(report)
        return result
