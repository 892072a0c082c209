"""What a search tries on dev, in turn: every model alone, the portfolio, then what the sampler proposes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compose.errors import BudgetExceeded
from compose.evals.evaluate import Evaluation
from compose.pipeline.graph import Pipeline
from compose.search import portfolio
from compose.search.known import Known, works
from compose.search.picks import pick
from compose.search.record import Failure, Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compose.evals.benchmark import Item
    from compose.search.progress import Teller
    from compose.search.racing import Track
    from compose.search.record import Record
    from compose.search.reserve import Reserve
    from compose.search.space import Space
    from compose.search.study import Study
    from compose.search.tally import Tally

SEEDED = 0.85
"""Share of the trials that singles and portfolio may take; the rest is the sampler's."""
REPEATS = 40
"""Known pipelines proposed in a row after which a space counts as used up."""
BLIND_AFTER = 4
"""Repeats after which the next proposal is drawn blindly."""


class Explorer:
    """Fills a record with trials. What it does next depends on what the study holds, and on nothing else."""

    def __init__(
        self,
        study: Study,
        record: Record,
        space: Space,
        track: Track,
        tally: Tally,
        teller: Teller,
        reserve: Reserve,
    ) -> None:
        self.study = study
        self.record = record
        self.space = space
        self.track = track
        self.tally = tally
        self.teller = teller
        self.reserve = reserve
        self.known = Known(record.trials, space.models)

    async def explore(self, dev: Sequence[Item]) -> None:
        """Try as many pipelines as are wanted, fewer where the space is used up first.

        Raises `BudgetExceeded` where what is left of the budget is needed for the
        test; what it cuts off stands in the record, and not in the study.
        """
        total = self.record.wanted
        for params in portfolio.singles(self.space, self.record.setup.prices):
            await self._seed(params, dev)
        for params in portfolio.portfolio(self.space, self.known.singles):
            if len(self.record.trials) >= SEEDED * total:
                break
            await self._seed(params, dev)
        while len(self.record.trials) < total and (repeats := self.study.repeats()) < REPEATS:
            await self._sampled(dev, blind=repeats >= BLIND_AFTER)

    async def _seed(self, params: dict[str, Any], dev: Sequence[Item]) -> None:
        data = self.space.from_params(params, order=self.known.order())
        if self.known.find(data) is None and not self.known.uses_dead(data):
            asked = self.study.ask(params)
            self.space.propose(asked.suggest_categorical)  # what is not suggested, the sampler never sees
            await self._try(asked, params, data, dev)

    async def _sampled(self, dev: Sequence[Item], *, blind: bool) -> None:
        """One proposal of the sampler, measured unless it is known already or cannot work."""
        asked = self.study.ask(None, random=blind)
        data = self.space.propose(asked.suggest_categorical, order=self.known.order())
        found = self.known.find(data)
        if found is not None or self.known.uses_dead(data):
            self.study.repeat(asked, self.known.values(found))
        else:
            await self._try(asked, dict(asked.params), data, dev)

    async def _try(self, asked: Any, params: dict[str, Any], data: dict[str, Any], dev: Sequence[Item]) -> None:
        """Measure a pipeline on dev and keep it."""
        self.reserve.amount = self._to_test()
        number = len(self.record.trials)
        single = params["shape"] == "single"
        self.tally.begin(str(number))
        self.teller.pipeline(
            "dev", number, max(self.record.wanted, len(self.space.models)), len(dev), self.known.best(len(dev))
        )
        evaluation = Evaluation()
        rivals = [] if single else self.known.working
        try:
            measured = await self.track.measure(data, dev, rivals, race=True, into=evaluation)
        except BudgetExceeded:
            part = self.track.measured(Pipeline.from_data(data), dev, evaluation)
            if part.calls:
                self.record.trials.append(Trial(number=number, params=params, measured=part, stopped_early=True))
            raise
        trial = Trial(
            number=number,
            params=params,
            measured=measured,
            stopped_early=measured.items < len(dev),
            failure=_failure(evaluation) if single and not works(measured) else None,
        )
        self.study.keep(asked, trial, self.known.values(measured))
        self.record.trials.append(trial)

    def _to_test(self) -> float:
        """USD that measuring on test takes, of what would be picked now: the best single and the winner."""
        asked = self.record.setup
        picks = pick(self.record.trials, len(asked.dev))
        once = {t.measured.key: t for t in picks[:2]} if picks else {}
        return sum(t.measured.usd_to_measure for t in once.values()) * len(asked.test)


def _failure(evaluation: Evaluation) -> Failure | None:
    error = next(iter(evaluation.errors.values()), None)
    return Failure.of(error) if error else None
