"""A Gaussian process over the choices; for small spaces and dear evaluations.

Needs torch and scipy, as Optuna's GP sampler does. Runs on one thread: more
make it slower at the sizes of a search.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

from compose.errors import ConfigError


def make(optuna: Any, seed: int) -> Any:
    """Optuna's GP sampler. Raises `ConfigError` where torch is missing."""
    if find_spec("torch") is None:
        raise ConfigError(
            "the sampler 'gp' needs the package 'torch'", hint="pip install torch, or use the sampler 'tpe'"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=10)
