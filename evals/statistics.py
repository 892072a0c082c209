"""What marks on a sample of items say: intervals, paired tests, and how many items it takes.

References: Wilson 1927 (interval of a proportion); Bonett and Price 2012,
doi:10.3102/1076998611411915 (interval of a paired difference of proportions);
McNemar 1947, exact form; Efron 1979 (bootstrap); Holm 1979.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from statistics import NormalDist
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from compose.errors import DataError

Scores: TypeAlias = Mapping[str, float] | Sequence[float] | NDArray[np.float64]
_EXACT_FLIPS = 13
"""Up to this many differences all sign patterns are tried (8,192), above it a sample of them."""
_FLIPS = 9_999
_RESAMPLES = 2_000
_FEW = 30
"""Marks below which no bootstrap is trusted."""


class Interval(msgspec.Struct, frozen=True):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


class Difference(msgspec.Struct, frozen=True):
    """The mean of a minus b on the same items, its 95 % interval and its two-sided p."""

    diff: Interval
    p: float
    n: int

    @property
    def better(self) -> str | None:
        """`a` or `b` where p is at most .05, else None."""
        return None if self.p > 0.05 else "a" if self.diff.mean > 0 else "b"


def mean_interval(scores: Scores, *, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The mean of marks: Wilson's interval when all are 0 or 1, else a percentile bootstrap.

    A bootstrap of few marks is too sure of itself. Below 30 of them Wilson's
    interval stands in, which is too wide for marks between 0 and 1, never too
    narrow: none of them vary more than 0 and 1 do. Raises `DataError` for no
    marks, and for marks that are no numbers.

    >>> mean_interval([1, 1, 0, 1]).mean
    0.75
    """
    x = _array(scores)
    if not len(x):
        raise DataError("no scores to average")
    mean = float(x.mean())
    bounded = bool(((x >= 0) & (x <= 1)).all())
    if bool(np.isin(x, (0.0, 1.0)).all()) or (bounded and len(x) < _FEW):
        return _wilson(mean, len(x), NormalDist().inv_cdf(0.5 + confidence / 2))
    return _bootstrap(x, confidence, seed)


def paired_difference(a: Scores, b: Scores, *, confidence: float = 0.95, seed: int = 0) -> Difference:
    """Compare two systems on the same items; mappings are paired by key.

    The test is exact (McNemar's sign test) when every difference is -1, 0 or 1,
    else it flips signs: all patterns of up to 13 differences, 9,999 drawn ones
    above. Both hold their level at any n. Raises `DataError` for marks that
    cannot be paired.
    """
    d = _paired(a, b)
    if bool(np.isin(d, (-1.0, 0.0, 1.0)).all()):
        wins, losses = int((d == 1).sum()), int((d == -1).sum())
        interval = _bonett_price(wins, losses, len(d), NormalDist().inv_cdf(0.5 + confidence / 2))
        return Difference(interval, sign_test(wins, losses), len(d))
    if len(d) < _FEW and float(np.abs(d).max()) <= 1:
        wins, losses = float(d[d > 0].sum()), float(-d[d < 0].sum())
        interval = _bonett_price(wins, losses, len(d), NormalDist().inv_cdf(0.5 + confidence / 2))
    else:
        interval = _bootstrap(d, confidence, seed)
    return Difference(interval, _sign_flip(d, seed), len(d))


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact p of so many wins and losses if both were equally likely.

    >>> sign_test(5, 0)
    0.0625
    """
    n = wins + losses
    tail = term = 1
    for k in range(min(wins, losses)):
        term = term * (n - k) // (k + 1)
        tail += term
    return min(1.0, float(2 * tail / 2**n))


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(ps)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = largest
    return adjusted


def power(gain: float, n: int, *, sd: float, alpha: float = 0.05) -> float:
    """The chance that a paired two-sided test of `n` items sees a true gain.

    `sd` is the standard deviation of the differences per item; for marks of 0
    and 1 that disagree on a share q of the items it is sqrt(q - gain²).
    """
    if sd <= 0:
        return 1.0 if gain else alpha
    normal = NormalDist()
    shift = abs(gain) * math.sqrt(n) / sd
    critical = normal.inv_cdf(1 - alpha / 2)
    return normal.cdf(shift - critical) + normal.cdf(-shift - critical)


def items_needed(gain: float, *, sd: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """The number of items at which a gain is seen with that power (normal approximation).

    >>> items_needed(0.02, sd=0.3)
    1766
    """
    if not gain:
        raise DataError("a gain of 0 is never seen, whatever the number of items")
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    return max(1, math.ceil((z * sd / gain) ** 2))


def _array(scores: Scores) -> NDArray[np.float64]:
    x = np.asarray(list(scores.values()) if isinstance(scores, Mapping) else scores, dtype=np.float64)
    if not np.isfinite(x).all():
        raise DataError("a mark is a finite number, and one of these is not")
    return x


def _paired(a: Scores, b: Scores) -> NDArray[np.float64]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            raise DataError(f"the two systems were marked on different items ({len(a.keys() ^ b.keys())} differ)")
        a, b = [a[k] for k in a], [b[k] for k in a]
    x, y = _array(a), _array(b)
    if x.shape != y.shape or not len(x):
        raise DataError(f"paired marks need the same number of items, got {len(x)} and {len(y)}")
    return x - y


def _wilson(mean: float, n: int, z: float) -> Interval:
    centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(mean, max(0.0, centre - half), min(1.0, centre + half))


def _bonett_price(wins: float, losses: float, n: int, z: float) -> Interval:
    p, q = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    half = z * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return Interval((wins - losses) / n, max(-1.0, p - q - half), min(1.0, p - q + half))


def _bootstrap(x: NDArray[np.float64], confidence: float, seed: int) -> Interval:
    rng = np.random.default_rng(seed)
    at_once = max(1, 1_000_000 // len(x))
    counts = [min(at_once, _RESAMPLES - start) for start in range(0, _RESAMPLES, at_once)]
    means = np.concatenate([x[rng.integers(0, len(x), (k, len(x)))].mean(axis=1) for k in counts])
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(x.mean()), float(low), float(high))


def _sign_flip(d: NDArray[np.float64], seed: int) -> float:
    size = np.abs(d[d != 0])
    if not len(size):
        return 1.0
    seen = abs(float(d.sum())) * (1 - 1e-12)
    if len(size) <= _EXACT_FLIPS:
        signs = np.array(list(product((1.0, -1.0), repeat=len(size))), dtype=np.float64)
        return float((np.abs(signs @ size) >= seen).mean())
    rng = np.random.default_rng(seed)
    at_least = 0
    for start in range(0, _FLIPS, 1000):
        signs = 1.0 - 2.0 * rng.integers(0, 2, (min(1000, _FLIPS - start), len(size)), dtype=np.int8)
        at_least += int((np.abs(signs @ size) >= seen).sum())
    return (at_least + 1) / (_FLIPS + 1)
