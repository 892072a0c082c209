"""Measure a pipeline block by block, and stop once it can no longer win.

Blocks double. After each, the pipeline is compared on the items so far with one
rival: of the pipelines that were measured in full and cost no more, the best. One
that is probably worse is stopped: the rival is the better buy. Models alone are
never stopped, since all else is compared with them. Recordings cost nothing to read and are measured in full.

Reference: racing as in Birattari et al., 2002 (F-Race); the test is the exact
paired one of `evals.statistics`.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from compose.errors import ModelError
from compose.evals.evaluate import Evaluation, evaluate
from compose.evals.statistics import paired_difference
from compose.models.ledger import Totals
from compose.pipeline.graph import Pipeline
from compose.search.record import Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from compose.evals.benchmark import Benchmark, Item
    from compose.pipeline.run import Calls

FIRST_BLOCK = 8
SURE = 0.05
"""The rival's lead counts when its two-sided p is at most this; a false stop costs a pipeline, not a claim.

Of pipelines exactly as good as 20 rivals it stops 15 % (500 items, six looks, the best of the rivals by its marks).
"""


class Track:
    """Where pipelines run: a benchmark, a caller, a seed, and whether answers are recorded."""

    def __init__(
        self,
        benchmark: Benchmark,
        caller: Calls,
        *,
        seed: int,
        recorded: bool,
        on_item: Callable[[], None] = lambda: None,
        recovered: Callable[[], Totals] = Totals,
    ) -> None:
        self.benchmark = benchmark
        self.seed = seed
        self.recorded = recorded
        self.on_item = on_item
        self._recovered = recovered
        self._caller = caller

    async def measure(
        self,
        data: dict[str, Any],
        items: Sequence[Item],
        rivals: Sequence[Measured] = (),
        *,
        race: bool = False,
        into: Evaluation | None = None,
    ) -> Measured:
        """Run a pipeline on the items, or as far as the race with `rivals` lets it.

        Raises `BudgetExceeded` and `ConfigError`; what was finished by then
        stands in `into`. Failed items are marked 0.
        """
        pipeline = Pipeline.from_data(data)
        evaluation = into if into is not None else Evaluation()
        self._recovered()
        for block in _blocks(items, race=race and not self.recorded):
            await evaluate(
                pipeline,
                self.benchmark,
                block,
                self._caller,
                seed=self.seed,
                into=evaluation,
                on_item=self._finished,
            )
            if _hopeless(evaluation) or _behind(evaluation, rivals, items):
                break
        return self.measured(pipeline, items, evaluation)

    def _finished(self, *_: object) -> None:
        self.on_item()

    def measured(self, pipeline: Pipeline, items: Sequence[Item], evaluation: Evaluation) -> Measured:
        """What an evaluation says, finished or not."""
        ledger, judging = evaluation.ledger.total, evaluation.judging.total
        paid = self._recovered()
        paid.merge(ledger)
        paid.merge(judging)
        scores = evaluation.scores
        return Measured(
            key=pipeline.key,
            pipeline=pipeline.to_data(),
            scores=tuple(scores.get(item.id) for item in items),
            usd=tuple(evaluation.usd.get(item.id) if item.id in scores else None for item in items),
            latency_s=fmean(evaluation.latency.values()) if evaluation.latency else None,
            calls=ledger.calls,
            judged=judging.calls,
            usd_judged=judging.usd,
            made=paid.calls - paid.cached,
            usd_spent=paid.usd_spent,
            seconds=evaluation.seconds,
            errors={_blamed(e): e.message for e in reversed(list(evaluation.errors.values()))},
            failed=len(evaluation.errors),
        )


def _blocks(items: Sequence[Item], *, race: bool) -> Iterator[Sequence[Item]]:
    if not race:
        yield items
        return
    start, size = 0, FIRST_BLOCK
    while start < len(items):
        yield items[start : start + size]
        start, size = start + size, start + size


def _blamed(error: Exception) -> str:
    return error.model if isinstance(error, ModelError) else type(error).__name__


def _hopeless(evaluation: Evaluation) -> bool:
    """Every item so far ended in an error: a missing key, a dead server, a name nobody knows."""
    return len(evaluation.errors) == len(evaluation.scores) > 0


def _behind(evaluation: Evaluation, rivals: Sequence[Measured], items: Sequence[Item]) -> bool:
    rows = [(i, item.id) for i, item in enumerate(items) if item.id in evaluation.scores]
    cheaper = [rival for rival in rivals if rival.items == len(items) and _no_dearer(evaluation, rival, rows)]
    if not cheaper:
        return False
    rival = max(cheaper, key=lambda r: r.quality)
    marks = [evaluation.scores[id] for _, id in rows]
    theirs = [rival.scores[i] or 0.0 for i, _ in rows]
    return sum(marks) < sum(theirs) and paired_difference(marks, theirs).p <= SURE


def _no_dearer(evaluation: Evaluation, rival: Measured, rows: list[tuple[int, str]]) -> bool:
    mine, theirs = _cost(evaluation, rival, rows)
    return mine is not None and theirs is not None and theirs <= mine


def _cost(evaluation: Evaluation, rival: Measured, rows: list[tuple[int, str]]) -> tuple[float | None, float | None]:
    """Dollars of both on these items; where they are unknown or nothing, calls an item."""
    mine = [evaluation.usd.get(id) for _, id in rows]
    theirs = [rival.usd[i] for i, _ in rows]
    if None in mine or None in theirs or not any(mine) or not any(theirs):
        return evaluation.ledger.calls / max(len(rows), 1), rival.calls / max(rival.items, 1)
    return sum(u for u in mine if u is not None), sum(u for u in theirs if u is not None)
