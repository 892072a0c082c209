"""Tree-structured Parzen estimators: the default.

Reference: Ozaki et al., 2020, multi-objective TPE, doi:10.1145/3377930.3389817.
"""

from __future__ import annotations

from typing import Any


def make(optuna: Any, seed: int) -> Any:
    """Optuna's TPE sampler; singles and portfolio take the place of its random start."""
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=10)
