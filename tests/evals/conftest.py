"""The data folder where there is one, and a caller over scripted models."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from compose.config import Config
from compose.models.call import Caller
from compose.models.model import Model


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of public data sets; the test is skipped where it is absent."""
    root = Path(os.environ.get("COMPOSE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (root / "zeroeval_gsm").is_dir():
        pytest.skip("the public data sets are not here (set COMPOSE_DATA)")
    return root


@pytest.fixture
def caller_of() -> Callable[..., Caller]:
    """Make a caller without a cache that knows the models given."""

    def make(*models: Model, budget: float | None = None) -> Caller:
        caller = Caller(Config(), cache=None, budget=budget, retries=0)
        for model in models:
            caller.add(model)
        return caller

    return make
