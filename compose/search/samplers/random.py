"""Draw every choice blindly: the baseline, and the way out when a sampler repeats itself."""

from __future__ import annotations

from typing import Any


def make(optuna: Any, seed: int) -> Any:
    """Optuna's random sampler."""
    return optuna.samplers.RandomSampler(seed=seed)
