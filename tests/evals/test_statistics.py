"""Intervals and tests: known values, and their level where nothing differs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from compose.errors import DataError
from compose.evals.statistics import holm, items_needed, mean_interval, paired_difference, power, sign_test


def test_wilson_has_its_published_values() -> None:
    interval = mean_interval([1.0] * 8 + [0.0] * 2)
    assert (interval.mean, round(interval.low, 4), round(interval.high, 4)) == (0.8, 0.4902, 0.9433)
    assert mean_interval([1.0] * 10).high == 1.0
    assert mean_interval([1.0] * 10).low == pytest.approx(0.7225, abs=1e-4)


def test_real_valued_marks_get_a_bootstrap() -> None:
    marks = np.random.default_rng(0).normal(0.5, 0.1, 400)
    interval = mean_interval(marks)
    half = 1.96 * 0.1 / math.sqrt(400)
    assert interval.low == pytest.approx(interval.mean - half, abs=half / 4)
    assert interval == mean_interval(marks)


@pytest.mark.parametrize(
    ("wins", "losses", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (10, 2, 0.0386), (7, 7, 1.0)]
)
def test_sign_test(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p, abs=1e-4) == sign_test(losses, wins)


def test_marks_are_paired_by_key() -> None:
    a, b = {"x": 1.0, "y": 0.0, "z": 1.0}, {"z": 0.0, "y": 0.0, "x": 1.0}
    found = paired_difference(a, b)
    assert found.diff.mean == pytest.approx(1 / 3)
    assert found.p == 1.0
    assert found.better is None


def test_marks_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(DataError, match="different items"):
        paired_difference({"x": 1.0}, {"y": 1.0})
    with pytest.raises(DataError, match="same number"):
        paired_difference([1.0], [1.0, 0.0])
    with pytest.raises(DataError):
        paired_difference([], [])
    with pytest.raises(DataError):
        mean_interval([])


def test_a_clear_difference_is_seen_either_way() -> None:
    a, b = [1.0] * 30 + [0.0] * 10, [0.0] * 20 + [1.0] * 10 + [0.0] * 10
    assert paired_difference(a, b).better == "a"
    assert paired_difference(b, a).better == "b"
    assert paired_difference(b, a).diff.mean == -0.5


def test_equal_systems_do_not_differ_and_keep_an_interval() -> None:
    same = paired_difference([1.0, 0.0] * 50, [1.0, 0.0] * 50)
    assert same.p == 1.0
    assert same.diff.low < 0 < same.diff.high
    assert paired_difference([0.5, 0.2], [0.5, 0.2]).p == 1.0


@pytest.mark.parametrize("n", [6, 40, 200])
@pytest.mark.parametrize("share", [0.05, 0.4])
def test_level_for_marks_of_0_and_1(n: int, share: float) -> None:
    """Where both systems win equally often, at most 5 % of tests say otherwise."""
    rng = np.random.default_rng(n)
    runs = 1500
    false = 0
    for _ in range(runs):
        differ = rng.random(n) < share
        a = np.where(differ, rng.integers(0, 2, n), 1).astype(float)
        b = np.where(differ, 1 - a, a)
        false += paired_difference(a, b).p <= 0.05
    assert false / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("n", [5, 10, 40])
def test_level_for_real_valued_marks(n: int) -> None:
    """The differences are symmetric and heavy-tailed."""
    rng = np.random.default_rng(n)
    runs = 150
    false = sum(paired_difference(rng.standard_t(2, n), np.zeros(n), seed=i).p <= 0.05 for i in range(runs))
    assert false / runs <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / runs)


def test_the_interval_of_a_paired_difference_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        outcome = rng.choice([1.0, -1.0, 0.0], 80, p=[0.2, 0.1, 0.7])
        interval = paired_difference(np.maximum(outcome, 0), np.maximum(-outcome, 0)).diff
        hits += interval.low <= 0.1 <= interval.high
    assert hits / 400 >= 0.93


def test_exact_and_drawn_sign_flips_agree() -> None:
    d = np.random.default_rng(3).normal(0.3, 0.6, 13)
    exact = paired_difference(d, np.zeros(13)).p
    drawn = paired_difference(np.append(d, 1e-9), np.zeros(14)).p
    assert drawn == pytest.approx(exact, abs=0.02)


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_power_and_the_items_it_needs_fit_each_other() -> None:
    n = items_needed(0.02, sd=0.3)
    assert power(0.02, n, sd=0.3) == pytest.approx(0.8, abs=0.001)
    assert power(0.0, 100, sd=0.3) == pytest.approx(0.05)
    assert items_needed(0.1, sd=0.3) < n
    with pytest.raises(DataError, match="never seen"):
        items_needed(0.0, sd=0.3)


def test_few_marks_are_never_certain() -> None:
    for marks in ([0.8], [0.5, 0.5], [0.2, 0.9, 0.4]):
        found = mean_interval(marks)
        assert found.high - found.low > 0.3
    assert paired_difference([0.5, 0.6], [0.4, 0.5]).diff.low < 0


def test_marks_that_are_no_numbers_are_refused() -> None:
    for marks in ([float("nan")], [1.0, float("inf")]):
        with pytest.raises(DataError, match="finite"):
            mean_interval(marks)
        with pytest.raises(DataError, match="finite"):
            paired_difference(marks, [1.0] * len(marks))


def test_thousands_of_differences_take_no_time() -> None:
    assert sign_test(4_000, 4_000) == 1.0
    assert sign_test(4_200, 3_800) < 1e-4
