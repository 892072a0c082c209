"""A Gaussian process over the choices; for small spaces and dear evaluations.

Needs torch and scipy, as Optuna's GP sampler does. Runs on one thread: more
make it slower at the sizes of a search.
"""

from __future__ import annotations

import warnings
from typing import Any

from compose.errors import ConfigError


def make(optuna: Any, seed: int) -> Any:
    """Optuna's GP sampler. Raises `ConfigError` where torch is missing."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ConfigError("the sampler 'gp' needs the package 'torch'", hint="pip install torch, or --sampler tpe") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=10)
