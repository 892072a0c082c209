"""What was picked, as it did on test: beside the best single model, and whether it is worth recommending."""

from __future__ import annotations

from typing import Any

import msgspec

from compose.evals.statistics import Interval, holm, mean_interval, paired_difference
from compose.search import choice
from compose.search.record import Measured

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
    dominated: bool = False
    """Whether another of those measured on test is as good and cheaper, or better and no dearer."""
    model: str | None = None
    """Set where the pipeline is one model alone."""

    def to_json(self) -> dict[str, Any]:
        """Its figures as `compose.search/1` has them."""
        return {
            "quality": self.quality,
            "quality_low": self.quality_low,
            "quality_high": self.quality_high,
            "usd_per_item": self.usd_per_item,
            "latency_s": self.latency_s,
            "n": self.n,
        }

    def beside_single(self) -> dict[str, Any]:
        """The pipeline, its figures, and how it does beside the best single model."""
        gain = self.gain
        return {
            "pipeline": self.pipeline,
            **self.to_json(),
            "gain": gain and {"mean": gain.mean, "low": gain.low, "high": gain.high},
            "p": self.p,
            "adjusted_p": self.adjusted_p,
            "significant": self.significant,
            "dominated": self.dominated,
        }


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
                entry_of(measured, dev_quality=dev.get(measured.key)),
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


def entry_of(measured: Measured, *, dev_quality: float | None) -> Entry:
    """A pipeline as it did on test, its quality with a 95 % interval."""
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


def with_dominated(entries: list[Entry], among: list[Entry]) -> list[Entry]:
    """The entries, those marked that another one makes pointless."""
    return [msgspec.structs.replace(e, dominated=any(_beats(other, e) for other in among)) for e in entries]


def _beats(a: Entry, b: Entry) -> bool:
    if a.usd_per_item is None or b.usd_per_item is None:
        return False
    gap = (a.quality - b.quality, b.usd_per_item - a.usd_per_item)
    return min(gap) >= 0 < max(gap)


def recommended(single: Entry | None, winner: Entry | None, *, too_few: bool) -> str | None:
    """`winner` where the test bears the choice out, else the id of the best single model."""
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
