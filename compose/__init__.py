"""Build systems out of language models: pipelines, search, routers, guards.

Every public name is imported on its first use (PEP 562), so `import compose`
costs a few milliseconds and loads no numpy, networkx, aiohttp or provider.

>>> import compose as c
>>> pipe = c.generate("local/smollm2-135m", n=3) >> c.vote()
>>> [step["use"] for step in pipe.to_data()["steps"]]
['generate', 'vote']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compose.config import Config, load_config
    from compose.errors import (
        Blocked,
        BudgetExceeded,
        ComposeError,
        ConfigError,
        DataError,
        ModelError,
        UnknownName,
    )
    from compose.evals.benchmark import Benchmark, Item, load_benchmark
    from compose.evals.evaluate import Evaluation, evaluate
    from compose.models.cache import Cache
    from compose.models.call import Caller
    from compose.models.ledger import Ledger
    from compose.pipeline.files import load
    from compose.pipeline.graph import Pipeline
    from compose.pipeline.node import Technique
    from compose.pipeline.result import Result
    from compose.techniques.best_of import best_of
    from compose.techniques.cascade import cascade
    from compose.techniques.critique import critique
    from compose.techniques.ensemble import ensemble
    from compose.techniques.fuse import fuse
    from compose.techniques.generate import generate
    from compose.techniques.node import node
    from compose.techniques.rank import rank
    from compose.techniques.verify import verify
    from compose.techniques.vote import vote
    from compose.types import Candidate, Message, Params, Request, Response, State, Usage

__version__ = "0.1.0"

_HOMES = {
    "compose.config": "Config load_config",
    "compose.errors": "Blocked BudgetExceeded ComposeError ConfigError DataError ModelError UnknownName",
    "compose.evals.benchmark": "Benchmark Item load_benchmark",
    "compose.evals.evaluate": "Evaluation evaluate",
    "compose.models.cache": "Cache",
    "compose.models.call": "Caller",
    "compose.models.ledger": "Ledger",
    "compose.pipeline.files": "load",
    "compose.pipeline.graph": "Pipeline",
    "compose.pipeline.node": "Technique",
    "compose.pipeline.result": "Result",
    "compose.techniques.best_of": "best_of",
    "compose.techniques.cascade": "cascade",
    "compose.techniques.critique": "critique",
    "compose.techniques.ensemble": "ensemble",
    "compose.techniques.fuse": "fuse",
    "compose.techniques.generate": "generate",
    "compose.techniques.node": "node",
    "compose.techniques.rank": "rank",
    "compose.techniques.verify": "verify",
    "compose.techniques.vote": "vote",
    "compose.types": "Candidate Message Params Request Response State Usage",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Benchmark",
    "Blocked",
    "BudgetExceeded",
    "Cache",
    "Caller",
    "Candidate",
    "ComposeError",
    "Config",
    "ConfigError",
    "DataError",
    "Evaluation",
    "Item",
    "Ledger",
    "Message",
    "ModelError",
    "Params",
    "Pipeline",
    "Request",
    "Response",
    "Result",
    "State",
    "Technique",
    "UnknownName",
    "Usage",
    "__version__",
    "best_of",
    "cascade",
    "critique",
    "ensemble",
    "evaluate",
    "fuse",
    "generate",
    "load",
    "load_benchmark",
    "load_config",
    "node",
    "rank",
    "verify",
    "vote",
]


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
