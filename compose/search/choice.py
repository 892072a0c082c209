"""Which pipeline wins on dev, and which are worth showing: the rules, and nothing else.

The best of many noisy measurements looks better than it is. So a pipeline
replaces the best single model only where the evidence stands one standard error
clear of the margin: it costs less, and its mean paired difference to the single
model, less one standard error of it, is at least -0.5 points. Of those the
cheapest wins. A dearer or equal one wins only where it beats the single model
by a paired test on dev that holds for all pipelines tried (Holm).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from compose.evals.statistics import holm, paired_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MARGIN = 0.005
"""Quality that a cheaper pipeline may lose: half a point."""
CAUTION = 1.0
"""Standard errors by which the evidence must clear the margin."""
FEW_ITEMS = 100
"""Below this many dev or test items no claim is made."""
LEVEL = 0.05


def best_single(scores: Array, costs: Array, singles: Sequence[int]) -> int:
    """Row of the best single model: highest mean mark, then cheapest, then first."""
    return min(singles, key=lambda j: (-scores[j].mean(), costs[j], j))


def winner(scores: Array, costs: Array, single: int, *, tried: int = 0) -> int:
    """Row of the winner; `single` where nothing is better or as good and cheaper.

    `scores` has a row a pipeline and a column a dev item, `costs` a mean a row
    (USD, else seconds); an unknown cost is `nan` and never counts as cheaper.
    `tried` counts all pipelines tried, also those without a row that a race stopped.
    """
    beating = _beating(scores, single, tried)
    if len(beating):
        gains = scores[beating].mean(axis=1)
        close = beating[gains >= gains.max() - MARGIN]
        return int(min(close, key=lambda j: (np.nan_to_num(costs[j], nan=np.inf), -scores[j].mean(), j)))
    equal = as_good(scores, single) & (costs < costs[single])
    rows = np.flatnonzero(equal)
    return int(min(rows, key=lambda j: (costs[j], j))) if len(rows) else single


def as_good(scores: Array, single: int) -> NDArray[np.bool_]:
    """Per row, whether it is clear of the margin by one standard error (a t-like rule)."""
    differences = scores - scores[single]
    error = differences.std(axis=1) / np.sqrt(max(scores.shape[1], 1))
    quiet: Any = (differences.mean(axis=1) - CAUTION * np.maximum(error, 1 / (2 * scores.shape[1]))) >= -MARGIN
    return quiet


def _beating(scores: Array, single: int, tried: int) -> NDArray[np.int64]:
    gains = (scores - scores[single]).mean(axis=1)
    ahead = np.flatnonzero(gains > 0)
    if not len(ahead):
        return ahead
    ps = [paired_difference(scores[j], scores[single]).p for j in ahead]
    # every pipeline tried is a comparison made, also one that is not ahead or was stopped on the way
    others = max(tried, len(scores)) - 1 - len(ahead)
    adjusted = holm([*ps, *[1.0] * others])[: len(ahead)]
    return ahead[np.asarray(adjusted) <= LEVEL]


def front(qualities: Sequence[float], costs: Sequence[float]) -> list[int]:
    """Rows that no other beats in quality without costing more, cheapest first.

    >>> front([0.9, 0.8, 0.95, 0.7], [2.0, 1.0, 3.0, 1.5])
    [1, 0, 2]
    """
    kept: list[int] = []
    for j in sorted(range(len(qualities)), key=lambda j: (costs[j], -qualities[j], j)):
        if np.isfinite(costs[j]) and (not kept or qualities[j] > qualities[kept[-1]]):
            kept.append(j)
    return kept
