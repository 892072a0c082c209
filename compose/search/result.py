"""What a search found: picked on dev, measured once on test, said with its uncertainty.

`conclude` makes a result from a record and nothing else, so a replayed record
ends in the same result as the search that wrote it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from compose.evals.statistics import Interval, holm, mean_interval, paired_difference
from compose.pipeline.graph import Pipeline
from compose.search import choice
from compose.search.picks import Axis, pick
from compose.search.record import Measured, Record, Trial

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "compose.search/1"
WORTH = 0.8
"""A winner of equal quality is recommended where it costs at most this share of the best single model."""
TOLERATED = 0.02
"""...and where its test interval rules out a loss of more than two points."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline as it did on test, beside the best single model; `adjusted_p` is Holm's."""

    pipeline: dict[str, Any]
    quality: float
    quality_low: float
    quality_high: float
    usd_per_item: float | None
    latency_s: float | None
    n: int
    gain: Interval | None = None
    p: float | None = None
    adjusted_p: float | None = None
    significant: bool = False
    dev_quality: float | None = None
    model: str | None = None
    """Set where the pipeline is one model alone."""


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
            "best_single": single and {"model": single.model, **_figures(single)},
            "winner": self.winner
            and {"pipeline": self.winner.pipeline, **_figures(self.winner), **_comparison(self.winner)},
            "recommended": self.recommended,
            "front": [{"pipeline": e.pipeline, **_figures(e), **_comparison(e)} for e in self.front],
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


def _figures(entry: Entry) -> dict[str, Any]:
    return {
        "quality": entry.quality,
        "quality_low": entry.quality_low,
        "quality_high": entry.quality_high,
        "usd_per_item": entry.usd_per_item,
        "latency_s": entry.latency_s,
    }


def _comparison(entry: Entry) -> dict[str, Any]:
    gain = entry.gain
    return {
        "gain": gain and {"mean": gain.mean, "low": gain.low, "high": gain.high},
        "p": entry.p,
        "significant": entry.significant,
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
    best = _entry(single, dev_quality=picks.single.measured.quality) if picks and single else None
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
        recommended=_recommended(best, winner, too_few=few),
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


def compared(entries: list[Measured], single: Measured, dev: dict[str, float]) -> list[Entry]:
    """Entries beside the single model on the items that both saw; significance by Holm over all that differ."""
    pairs = [_paired(m, single) for m in entries]
    tests = [
        paired_difference(a, b) if a and m.key != single.key else None for m, (a, b) in zip(entries, pairs, strict=True)
    ]
    adjusted = iter(holm([t.p for t in tests if t is not None]))
    made: list[Entry] = []
    for measured, test in zip(entries, tests, strict=True):
        gain = test.diff if test else Interval(0.0, 0.0, 0.0)
        p = next(adjusted) if test else None
        made.append(
            msgspec.structs.replace(
                _entry(measured, dev_quality=dev.get(measured.key)),
                gain=gain,
                p=test.p if test else None,
                adjusted_p=p,
                significant=p is not None and p <= choice.LEVEL,
            )
        )
    return made


def _paired(a: Measured, b: Measured) -> tuple[list[float], list[float]]:
    both = [(x, y) for x, y in zip(a.scores, b.scores, strict=True) if x is not None and y is not None]
    return [x for x, _ in both], [y for _, y in both]


def _entry(measured: Measured, *, dev_quality: float | None) -> Entry:
    marks = [s for s in measured.scores if s is not None]
    quality = mean_interval(marks) if marks else Interval(0.0, 0.0, 1.0)
    return Entry(
        pipeline=measured.pipeline,
        quality=quality.mean,
        quality_low=quality.low,
        quality_high=quality.high,
        usd_per_item=measured.usd_per_item,
        latency_s=measured.latency_s,
        n=len(marks),
        dev_quality=dev_quality,
        model=measured.single,
    )


def _recommended(single: Entry | None, winner: Entry | None, *, too_few: bool) -> str | None:
    if single is None:
        return None
    if winner is None or too_few or winner.model == single.model or winner.gain is None:
        return single.model
    if winner.significant:
        return "winner" if winner.gain.mean > 0 else single.model
    return "winner" if _cheaper(winner, single) and _not_worse(winner.gain) else single.model


def _cheaper(winner: Entry, single: Entry) -> bool:
    if winner.usd_per_item is None or single.usd_per_item is None or single.usd_per_item == 0:
        return False
    return winner.usd_per_item <= WORTH * single.usd_per_item


def _not_worse(gain: Interval) -> bool:
    return gain.mean >= -choice.MARGIN and gain.low >= -TOLERATED


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
