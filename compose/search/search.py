"""The search itself: singles, portfolio, sampler on dev; then once on test.

The life of a search: `space` proposes pipeline data, whose canonical JSON is its
key, so nothing is evaluated twice; `racing` runs it on dev items through the
same runner and cache as everything else; `study` stores it; `result` picks and
concludes. Everything that is decided depends on what is stored, so a search
that was killed goes on and ends as it would have.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from compose.errors import BudgetExceeded, ConfigError
from compose.evals.evaluate import Evaluation
from compose.pipeline.graph import Pipeline
from compose.search import portfolio, setup
from compose.search.picks import Axis, axis_of, cost, pick
from compose.search.racing import Track
from compose.search.record import NAME as RECORD
from compose.search.record import Measured, Record, Setup, Trial, write_record
from compose.search.report import render_report
from compose.search.result import SearchResult, conclude
from compose.search.space import Space, derive
from compose.search.study import Study, held, open_study

if TYPE_CHECKING:
    from compose.evals.benchmark import Benchmark, Item
    from compose.models.call import Caller

SEEDED = 0.85
"""Share of the trials that singles and portfolio may take; the rest is the sampler's."""
REPEATS = 40
"""Known pipelines proposed in a row after which a space counts as used up."""
BLIND_AFTER = 4
"""Repeats after which the next proposal is drawn blindly."""


class Progress(msgspec.Struct, frozen=True):
    """How far a search is: pipelines of this stage, items of the present pipeline, the best so far."""

    stage: Literal["dev", "test"]
    done: int
    total: int
    item: int
    items: int
    best: str = ""


OnProgress = Callable[[Progress], None]


async def search(
    benchmark: Benchmark,
    *,
    caller: Caller,
    out: Path,
    models: Sequence[str] | None = None,
    exclude: Iterable[str] = (),
    budget: float | None = None,
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
    `budget` (USD, the caller's own) ends first: then the result's `end` is
    `budget`. `limit` keeps that many items, half of them for test, `max_tokens`
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
            run = _Search(benchmark, caller, study, Record(setup=asked, wanted=trials), space, budget, on_progress)
            return await run.all(dev, test, out)
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
        budget: float | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.caller = caller
        self.study = study
        self.record = record
        self.space = space
        self.budget = budget
        self.on_progress = on_progress
        self.dead: set[str] = set()
        self.failure: Exception | None = None
        self.state = Progress("dev", 0, 0, 0, 0)
        asked = record.setup
        self.track = Track(benchmark, caller, seed=asked.seed, recorded=asked.recorded, on_item=self._item)

    async def all(self, dev: Sequence[Item], test: Sequence[Item], out: Path) -> SearchResult:
        """Dev, then test, then what is written; what was finished is written in any case."""
        began = time.perf_counter()
        record = self.record
        record.end = "interrupted"
        try:
            record.trials = list(self.study.trials)
            if record.setup.recorded and record.trials:
                await self._look_again(dev)
            try:
                await self._explore(dev)
                await self._test(test)
                record.end = "done" if record.end == "interrupted" else record.end
            except BudgetExceeded:
                record.end = "budget"
            if not any(_works(t.measured) for t in record.trials) and self.failure:
                raise self.failure
        finally:
            record.seconds = time.perf_counter() - began
            write_record(record, out / RECORD)
        return self._written(out, len(dev))

    async def _look_again(self, dev: Sequence[Item]) -> None:
        """Recorded answers count as paid at their first use; a resumed search has used these before."""
        for trial in self.record.trials:
            if trial.measured.single:
                await self.track.measure(trial.measured.pipeline, dev)

    async def _explore(self, dev: Sequence[Item]) -> None:
        total = self.record.wanted
        for params in portfolio.singles(self.space):
            await self._seed(params, dev)
        seeds = portfolio.portfolio(self.space, self._known())
        for params in seeds:
            if len(self.record.trials) >= SEEDED * total:
                break
            await self._seed(params, dev)
        repeats = 0
        while len(self.record.trials) < total and repeats < REPEATS:
            repeats = 0 if await self._sampled(dev, blind=repeats >= BLIND_AFTER) else repeats + 1

    async def _seed(self, params: dict[str, Any], dev: Sequence[Item]) -> None:
        data = self.space.from_params(params, order=self._order())
        if self._found(data) is None and not self._uses_dead(data):
            await self._try(self.study.ask(params), params, data, dev)

    async def _sampled(self, dev: Sequence[Item], *, blind: bool) -> bool:
        """One proposal of the sampler; False where it was known already or cannot work."""
        asked = self.study.ask(None, random=blind)
        data = self.space.propose(asked.suggest_categorical, order=self._order())
        found = self._found(data)
        if found is not None or self._uses_dead(data):
            self.study.repeat(asked, self._values(found) if found else self._worst())
            return False
        await self._try(asked, dict(asked.params), data, dev)
        return True

    async def _try(self, asked: Any, params: dict[str, Any], data: dict[str, Any], dev: Sequence[Item]) -> None:
        """Measure a pipeline on dev and keep it; what a used-up budget cuts off is recorded, not kept."""
        self._afford(data)
        single = params["shape"] == "single"
        rivals = [] if single else [t.measured for t in self.record.trials if _works(t.measured)]
        self._tell(done=len(self.record.trials), total=max(self.record.wanted, len(self.space.models)), items=len(dev))
        evaluation = Evaluation()
        number = len(self.record.trials)
        try:
            measured = await self.track.measure(data, dev, rivals, race=True, into=evaluation)
        except BudgetExceeded:
            part = self.track.measured(Pipeline.from_data(data), dev, evaluation)
            self.record.trials.append(Trial(number=number, params=params, measured=part, stopped_early=True))
            raise
        if single and not _works(measured):
            self.dead.add(params["single.model"])
            self.failure = self.failure or next(iter(evaluation.errors.values()), None)
        trial = Trial(number=number, params=params, measured=measured, stopped_early=measured.items < len(dev))
        self.study.keep(asked, trial, self._values(measured))
        self.record.trials.append(trial)

    def _afford(self, data: dict[str, Any]) -> None:
        """Raise `BudgetExceeded` where what is left is needed to measure the picks on test."""
        asked = self.record.setup
        picks = pick(self.record.trials, len(asked.dev)) if self.budget is not None else None
        if self.budget is None or picks is None or len(self._known()) < len(self.space.models) - len(self.dead):
            return
        needed = [t.measured.usd_per_item or 0.0 for t in {id(t): t for t in picks[:2]}.values()]
        reserve = sum(needed) * len(asked.test)
        if self.caller.spent + reserve > self.budget:
            raise BudgetExceeded(spent=self.caller.spent + reserve, budget=self.budget)

    async def _test(self, test: Sequence[Item]) -> None:
        """Measure the picks on test, each once; a used-up budget keeps what was measured by then."""
        picks = pick(self.record.trials, len(self.record.setup.dev))
        wanted = picks.to_test() if picks else []
        for done, trial in enumerate(wanted):
            self._tell(stage="test", done=done, total=len(wanted), items=len(test))
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
        self._tell(stage="test", done=len(wanted), total=len(wanted), items=len(test))

    def _written(self, out: Path, dev_n: int) -> SearchResult:
        result = conclude(self.record)
        picks = pick(self.record.trials, dev_n)
        if picks:
            Pipeline.from_data(picks.winner.measured.pipeline).save(out / "winner.yaml")
        report = out / "report.html"
        report.write_text(render_report(result), "utf-8")
        result.report = str(report)
        return result

    # What is known so far.

    def _found(self, data: dict[str, Any]) -> Measured | None:
        key = Pipeline.from_data(data).key
        return next((t.measured for t in self.record.trials if t.measured.key == key), None)

    def _uses_dead(self, data: dict[str, Any]) -> bool:
        return bool(self.dead) and not self.dead.isdisjoint(Pipeline.from_data(data).models())

    def _singles(self) -> list[Measured]:
        return [t.measured for t in self.record.trials if t.measured.single and _works(t.measured)]

    def _axis(self) -> Axis:
        return axis_of(self._singles())

    def _known(self) -> dict[str, portfolio.Single]:
        axis = self._axis()
        return {str(m.single): portfolio.Single(m.quality, cost(m, axis)) for m in self._singles()}

    def _order(self) -> list[str]:
        """Models from cheap to dear, those that were not measured last."""
        known = self._known()
        place = {m: i for i, m in enumerate(self.space.models)}
        return sorted(place, key=lambda m: (known[m].cost if m in known else float("inf"), place[m]))

    def _values(self, measured: Measured) -> tuple[float, float]:
        value = cost(measured, self._axis())
        return (measured.quality, value) if math.isfinite(value) else self._worst()

    def _worst(self) -> tuple[float, float]:
        return 0.0, max((s.cost for s in self._known().values()), default=1.0) * 10

    # What is told to whoever watches.

    def _tell(self, *, done: int, total: int, items: int, stage: Literal["dev", "test"] = "dev") -> None:
        self.state = Progress(stage, done, total, 0, items, self._best())
        if self.on_progress:
            self.on_progress(self.state)

    def _item(self) -> None:
        self.state = msgspec.structs.replace(self.state, item=self.state.item + 1)
        if self.on_progress:
            self.on_progress(self.state)

    def _best(self) -> str:
        full = [t.measured for t in self.record.trials if t.measured.items == len(self.record.setup.dev)]
        best = max(full, key=lambda m: m.quality, default=None)
        return f"{100 * best.quality:.1f} %" if best else ""


def _works(measured: Measured) -> bool:
    return measured.failed < max(measured.items, 1)
