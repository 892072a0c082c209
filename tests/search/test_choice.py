"""What wins on dev: only what the evidence bears."""

from __future__ import annotations

import numpy as np

from compose.search.choice import best_single, front, winner


def marks(*qualities: float, n: int = 1000) -> np.ndarray:
    """Rows that agree wherever they can: the k-th item is right for all whose quality is above k/n."""
    return np.array([[float(k < q * n) for k in range(n)] for q in qualities])


def test_best_single_ties_go_to_the_cheaper() -> None:
    assert best_single(marks(0.9, 0.9, 0.8), np.array([2.0, 1.0, 0.5]), [0, 1, 2]) == 1


def test_an_equal_and_cheaper_pipeline_wins() -> None:
    assert winner(marks(0.9, 0.9), np.array([2.0, 1.0]), 0) == 1


def test_a_worse_one_does_not() -> None:
    assert winner(marks(0.9, 0.88), np.array([2.0, 0.1]), 0) == 0


def test_an_equal_one_that_costs_more_does_not() -> None:
    assert winner(marks(0.9, 0.9), np.array([1.0, 2.0]), 0) == 0


def test_an_unknown_cost_is_never_cheaper() -> None:
    assert winner(marks(0.9, 0.9), np.array([1.0, np.nan]), 0) == 0


def test_a_clear_gain_wins_at_any_price() -> None:
    assert winner(marks(0.8, 0.9), np.array([1.0, 5.0]), 0) == 1


def test_pipelines_that_were_stopped_count_as_tried() -> None:
    """A gain that one comparison bears out does not stand among a thousand."""
    scores, costs = marks(0.8, 0.812), np.array([1.0, 5.0])
    assert winner(scores, costs, 0, tried=2) == 1
    assert winner(scores, costs, 0, tried=1000) == 0


def test_few_items_prove_nothing() -> None:
    assert winner(marks(0.5, 0.5, n=12), np.array([2.0, 1.0]), 0) == 0


def test_the_best_of_many_equals_seldom_wins_by_luck() -> None:
    won = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scores = (rng.random((40, 400)) < 0.7).astype(float)
        won += winner(scores, np.array([1.0] + [2.0] * 39), 0) != 0
    assert won <= 8  # the single is one of the forty at random, and Holm holds at .05


def test_front_has_no_dominated_member() -> None:
    assert front([0.9, 0.8, 0.95, 0.7], [2.0, 1.0, 3.0, 1.5]) == [1, 0, 2]
    assert front([0.9, 0.9], [1.0, float("nan")]) == [0]
