"""What a search found: picked on dev, measured once on test, said with its uncertainty.

`conclude` makes a result from a record and nothing else, so a replayed record
ends in the same result as the search that wrote it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from compose.pipeline.graph import Pipeline
from compose.search import choice
from compose.search.entry import Entry, compared, entry_of, recommended, with_dominated
from compose.search.picks import Axis, pick
from compose.search.record import Measured, Record, Trial

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "compose.search/1"


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline as it did on dev."""

    pipeline: dict[str, Any]
    shape: str
    quality: float
    usd_per_item: float | None
    latency_s: float | None
    n: int
    stopped_early: bool


class SearchResult(msgspec.Struct, kw_only=True):
    """The whole outcome. `to_json` gives the object of `compose search --json`."""

    benchmark: str
    seed: int
    licence: str
    trials: int
    space_size: int
    dev_n: int
    test_n: int
    best_single: Entry | None
    winner: Entry | None
    recommended: str | None
    front: list[Entry]
    tried: list[Tried]
    axis: Axis
    too_few: bool
    end: str
    calls: int
    made: int
    usd: float | None
    usd_spent: float | None
    seconds: float
    errors: list[dict[str, str]]
    sampler: str
    version: str
    prices: dict[str, Any]
    report: str | None = None
    estimate: dict[str, Any] | None = None
    """Of a dry run: what measuring every model alone would take."""

    def to_pandas(self) -> pd.DataFrame:
        """The Pareto front as measured on test, one row a pipeline, the cheapest first."""
        import pandas as pd

        return pd.DataFrame(
            [{**msgspec.to_builtins(e), "pipeline": repr(Pipeline.from_data(e.pipeline))} for e in self.front]
        )

    @property
    def evaluated(self) -> int:
        """Distinct pipelines that were run on dev items."""
        return len(self.tried)

    @property
    def full_evaluations(self) -> int:
        """Those of them that were run on all dev items."""
        return sum(t.n == self.dev_n for t in self.tried)

    def to_json(self) -> dict[str, Any]:
        """The `compose.search/1` object; quality, gain and share are fractions, `usd` is list price."""
        single = self.best_single
        return {
            "schema": SCHEMA,
            "benchmark": self.benchmark,
            "seed": self.seed,
            "trials": self.trials,
            "evaluated": self.evaluated,
            "space_size": self.space_size,
            "dev": {"n": self.dev_n},
            "test": {"n": self.test_n},
            "best_single": single and {"model": single.model, **single.to_json()},
            "winner": self.winner and self.winner.beside_single(),
            "recommended": self.recommended,
            "front": [e.beside_single() for e in self.front],
            "calls": {
                "requested": self.calls,
                "made": self.made,
                "cached": self.calls - self.made,
                "reused_share": (self.calls - self.made) / self.calls if self.calls else 0.0,
            },
            "full_evaluations": self.full_evaluations,
            "usd": self.usd,
            "usd_spent": self.usd_spent,
            "seconds": self.seconds,
            "errors": self.errors,
            "report": self.report,
            "too_few_items": self.too_few,
            "end": self.end,
            **({"estimate": self.estimate} if self.estimate else {}),
        }


def conclude(record: Record) -> SearchResult:
    """The result that a record holds. Reads nothing else and draws nothing."""
    setup = record.setup
    picks = pick(record.trials, len(setup.dev))
    tested = {m.key: m for m in record.test}
    single = tested.get(picks.single.measured.key) if picks else None
    winner, front = None, []
    if picks and single:
        dev = {t.measured.key: t.measured.quality for t in picks.to_test()}
        front = compared([tested[t.measured.key] for t in picks.front if t.measured.key in tested], single, dev)
        won = tested.get(picks.winner.measured.key)
        winner = compared([won], single, dev)[0] if won else None
    best = entry_of(single, dev_quality=picks.single.measured.quality) if picks and single else None
    shown = [e for e in (best, winner, *front) if e is not None]
    front, winner = with_dominated(front, shown), with_dominated([winner], shown)[0] if winner else None
    few = min(len(setup.dev), len(setup.test)) < choice.FEW_ITEMS
    every = [*(t.measured for t in record.trials), *record.test]
    return SearchResult(
        benchmark=setup.benchmark,
        seed=setup.seed,
        licence=setup.licence,
        trials=record.wanted,
        space_size=_space_size(setup.space),
        dev_n=len(setup.dev),
        test_n=len(setup.test),
        best_single=best,
        winner=winner,
        recommended=recommended(best, winner, too_few=few),
        front=front,
        tried=[_tried(t) for t in record.trials],
        axis=picks.axis if picks else "usd",
        too_few=few,
        end=record.end,
        calls=sum(m.calls + m.judged for m in every),
        made=sum(m.made for m in every),
        usd=_sum([u for m in every for u, s in zip(m.usd, m.scores, strict=True) if s is not None]),
        usd_spent=_sum([m.usd_spent for m in every]),
        seconds=record.seconds,
        errors=_errors(every),
        sampler=setup.sampler,
        version=setup.version,
        prices=setup.prices,
    )


def _tried(trial: Trial) -> Tried:
    measured = trial.measured
    return Tried(
        pipeline=measured.pipeline,
        shape=str(trial.params.get("shape", "")),
        quality=measured.quality,
        usd_per_item=measured.usd_per_item,
        latency_s=measured.latency_s,
        n=measured.items,
        stopped_early=trial.stopped_early,
    )


def _space_size(space: dict[str, Any]) -> int:
    from compose.search.space import Space

    return msgspec.convert(space, Space).size


def _errors(every: list[Measured]) -> list[dict[str, str]]:
    found = {blamed: message for m in reversed(every) for blamed, message in m.errors.items()}
    return [{"model": blamed, "message": message} for blamed, message in sorted(found.items())]


def _sum(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None
