"""Run a pipeline on the items of a benchmark and mark what comes back."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from compose.errors import BadResponse, BudgetExceeded, CacheError, ComposeError, ConfigError
from compose.evals.latency import CriticalPath
from compose.models.ledger import Ledger
from compose.pipeline.node import at_once, call_params
from compose.types import Message, Request, Response

if TYPE_CHECKING:
    import pandas as pd

    from compose.evals.benchmark import Benchmark, Item
    from compose.evals.statistics import Interval
    from compose.pipeline.graph import Pipeline
    from compose.pipeline.result import Result
    from compose.pipeline.run import Calls

OnItem = Callable[["Item", float, "Result | None"], None]
"""Told about every finished item: the item, its mark, the result (None where it failed)."""
IN_FLIGHT = 64
"""Items under way at once; the caller's own limits bound the calls."""


class Evaluation:
    """What is known so far about a pipeline on some items, by item id.

    An item whose pipeline failed has a mark of 0 and stands in `errors`: a
    system that gives no answer has not answered. `usd` is None where a price is
    unknown. `latency` holds the seconds of the critical path of an item's calls
    where they are known: a recording may hold none. `ledger` counts the
    pipeline's calls, `judging` those of the scorer.
    """

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}
        self.usd: dict[str, float | None] = {}
        self.latency: dict[str, float] = {}
        self.answers: dict[str, str | None] = {}
        self.errors: dict[str, ComposeError] = {}
        self.ledger = Ledger()
        self.judging = Ledger()
        self.seconds = 0.0

    @property
    def quality(self) -> Interval:
        """The mean mark with its interval. Raises `DataError` when no item is finished."""
        from compose.evals.statistics import mean_interval

        return mean_interval(self.scores)

    @property
    def usd_total(self) -> float | None:
        """List price of all finished items, None as soon as one is unknown."""
        known = [usd for usd in self.usd.values() if usd is not None]
        return sum(known) if len(known) == len(self.usd) else None

    @property
    def usd_spent(self) -> float | None:
        """What this run paid, its judges included, None where a price is unknown."""
        spent = (self.ledger.usd_spent, self.judging.usd_spent)
        return None if spent[0] is None or spent[1] is None else spent[0] + spent[1]

    @property
    def usd_per_item(self) -> float | None:
        """Mean list price of an item, None where it is unknown."""
        total = self.usd_total
        return None if total is None or not self.usd else total / len(self.usd)

    def to_pandas(self) -> pd.DataFrame:
        """One row an item: id, mark, answer, USD, seconds, error."""
        import pandas as pd

        return pd.DataFrame(
            {
                "id": id,
                "score": score,
                "answer": self.answers.get(id),
                "usd": self.usd.get(id),
                "seconds": self.latency.get(id),
                "error": str(self.errors[id]) if id in self.errors else None,
            }
            for id, score in self.scores.items()
        )

    def _repr_html_(self) -> str:
        quality = self.quality
        usd = "unknown" if self.usd_total is None else f"${self.usd_total:.6f}"
        return (
            f"<p>{len(self.scores)} items, quality {quality.mean:.3f} (95 % {quality.low:.3f} to {quality.high:.3f}), "
            f"{usd} list price, {len(self.errors)} failed</p>"
        )

    def latency_s(self, quantile: float) -> float | None:
        """A quantile of the seconds an item takes (0.5: median), None where no item's are known."""
        ordered = sorted(self.latency.values())
        return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] if ordered else None

    def by_group(self, items: Iterable[Item]) -> dict[str, dict[str, float | int]]:
        """Count and mean mark of every group, keyed `group=value`."""
        marks: dict[str, list[float]] = {}
        for item in items:
            if item.id in self.scores:
                for group, value in item.groups.items():
                    marks.setdefault(f"{group}={value}", []).append(self.scores[item.id])
        return {key: {"n": len(m), "mean": sum(m) / len(m)} for key, m in sorted(marks.items())}


class ScoringContext:
    """The door of a scorer to models; its calls are kept apart from the pipeline's."""

    def __init__(self, caller: Calls, ledger: Ledger, seed: int, item: Item) -> None:
        self._caller = caller
        self._ledger = ledger
        self._drawn: Counter[bytes] = Counter()
        self.rng = random.Random(f"{seed}/score/{item.id}")

    async def call(self, model: str, messages: Sequence[Message], *, n: int = 1, **params: Any) -> list[Response]:
        """Draw `n` samples, in sample order, none of them twice; see `Context.call`."""
        asked, key = call_params(params), msgspec.json.encode((model, messages, params))
        first = self._drawn[key]
        self._drawn[key] += n
        requests = [Request(model, tuple(messages), asked, first + i) for i in range(n)]
        return await at_once(self._caller.call(r, self._ledger, node="judge") for r in requests)

    def note(self, text: str) -> None:
        """A scorer has no trace; what it says is dropped."""


async def evaluate(
    pipeline: Pipeline,
    benchmark: Benchmark,
    items: Sequence[Item],
    caller: Calls,
    *,
    seed: int = 0,
    on_item: OnItem | None = None,
    errors: Literal["keep", "raise"] = "keep",
    into: Evaluation | None = None,
    in_flight: int = IN_FLIGHT,
) -> Evaluation:
    """Run the pipeline on every item, `in_flight` at a time, and mark the results.

    With `errors="keep"` a failed item is marked 0 and its error kept. A used-up
    budget (`BudgetExceeded`) stops the run once the items under way are done,
    and `ConfigError` or `CacheError` (a full disk) stops it at once; all are raised, as is cancellation.
    What was finished by then stands in `into`.
    """
    evaluation = into or Evaluation()
    started = time.perf_counter()
    run = _Run(pipeline, benchmark, caller, seed, on_item, errors, evaluation)
    queue = iter(items)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(in_flight, len(items))):
                group.create_task(run.work(queue))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        evaluation.seconds += time.perf_counter() - started
    if run.stopped is not None:
        raise run.stopped
    return evaluation


class _Run(msgspec.Struct):
    pipeline: Any
    benchmark: Any
    caller: Any
    seed: int
    on_item: OnItem | None
    errors: str
    evaluation: Evaluation
    stopped: BudgetExceeded | None = None

    async def work(self, queue: Iterator[Item]) -> None:
        """Take items until there are none or the budget is used up."""
        for item in queue:
            if self.stopped is not None:
                return
            try:
                await self.one(item)
            except BudgetExceeded as error:
                self.stopped = error

    async def one(self, item: Item) -> None:
        """Run and mark one item."""
        ledger = Ledger(self.evaluation.ledger)
        path = CriticalPath(self.caller, self.pipeline)
        score, result = 0.0, None
        try:
            result = await self.pipeline.arun(item.messages, caller=path, seed=self.seed, ledger=ledger)
        except (BudgetExceeded, CacheError, ConfigError):
            raise
        except ComposeError as error:
            if self.errors == "raise":
                raise
            self.evaluation.errors[item.id] = error
        if result is not None:
            score = await self.mark(item, result)
        self.evaluation.usd[item.id] = ledger.usd
        if result is not None and path.seconds is not None:
            self.evaluation.latency[item.id] = path.seconds
        self.evaluation.answers[item.id] = result.answer if result else None
        self.evaluation.scores[item.id] = score
        if self.on_item:
            self.on_item(item, score, result)

    async def mark(self, item: Item, result: Result) -> float:
        """The scorer's mark. A judge that answers and gives none fails this item; other failures of a scorer
        say nothing of the pipeline and are raised.
        """
        ctx = ScoringContext(self.caller, self.evaluation.judging, self.seed, item)
        try:
            return await self.benchmark.scorer.score(item, result, ctx)
        except BadResponse as error:
            if self.errors == "raise":
                raise
            self.evaluation.errors[item.id] = error
            return 0.0
