"""NSGA-II: evolve a population along the front; for long searches.

Reference: Deb et al., 2002, doi:10.1109/4235.996017.
"""

from __future__ import annotations

from typing import Any


def make(optuna: Any, seed: int) -> Any:
    """Optuna's NSGA-II sampler with a population that suits some hundred trials."""
    return optuna.samplers.NSGAIISampler(seed=seed, population_size=24)
