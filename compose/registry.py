"""Names to import paths: the one way in which the core finds what it does not import.

What is built in stands in the tables below; a package adds to them through the
entry-point groups `compose.techniques`, `compose.routers`, `compose.guards`,
`compose.benchmarks`, `compose.scorers`, `compose.samplers` and `compose.providers`. A name that is
built in cannot be taken over by a package.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from compose.errors import ConfigError, UnknownName

Group = Literal["techniques", "routers", "guards", "benchmarks", "scorers", "samplers", "providers"]

BUILT_IN: dict[Group, dict[str, str]] = {
    "techniques": {
        "generate": "compose.techniques.generate:Generate",
        "ensemble": "compose.techniques.ensemble:Ensemble",
        "vote": "compose.techniques.vote:Vote",
        "best_of": "compose.techniques.best_of:BestOf",
        "rank": "compose.techniques.rank:Rank",
        "fuse": "compose.techniques.fuse:Fuse",
        "critique": "compose.techniques.critique:Critique",
        "verify": "compose.techniques.verify:Verify",
        "cascade": "compose.techniques.cascade:Cascade",
        "node": "compose.techniques.node:Node",
    },
    "routers": {},
    "guards": {},
    "benchmarks": {
        "arith": "compose.evals.arith:Arith",
        "spatial": "compose.evals.spatial:Spatial",
        "gsm8k": "compose.evals.gsm8k:Gsm8k",
        "zeroeval_gsm": "compose.evals.zeroeval:ZeroEvalGsm",
        "zeroeval_crux": "compose.evals.zeroeval:ZeroEvalCrux",
        "zeroeval_math_l5": "compose.evals.zeroeval:ZeroEvalMath",
    },
    "scorers": {
        "exact": "compose.evals.scorers.exact:Exact",
        "choice": "compose.evals.scorers.choice:Choice",
        "number": "compose.evals.scorers.number:Number",
        "contains": "compose.evals.scorers.contains:Contains",
        "regex": "compose.evals.scorers.regex:Regex",
        "literal": "compose.evals.scorers.literal:Literal",
        "judge": "compose.evals.scorers.judge:Judge",
    },
    "samplers": {
        "random": "compose.search.samplers.random:make",
        "tpe": "compose.search.samplers.tpe:make",
        "gp": "compose.search.samplers.gp:make",
        "nsga2": "compose.search.samplers.nsga2:make",
    },
    "providers": {
        "local": "compose.models.providers.local:Local",
        "tiny": "compose.models.providers.local:Local",
        "http": "compose.models.providers.http:Http",
        "litellm": "compose.models.providers.litellm:LiteLLM",
        "replay": "compose.models.providers.replay:Replay",
    },
}


@cache
def _installed(group: Group) -> dict[str, EntryPoint]:
    return {e.name: e for e in entry_points(group=f"compose.{group}") if e.name not in BUILT_IN[group]}


def names(group: Group) -> list[str]:
    """All names of a group, built in ones first.

    >>> "vote" in names("techniques")
    True
    """
    return [*BUILT_IN[group], *_installed(group)]


@cache
def find(group: Group, name: str) -> Any:
    """Import and return what a name stands for.

    Raises `UnknownName` with the nearest name, and `ConfigError` if what an
    installed package registered cannot be imported, whatever its code raises.
    """
    if path := BUILT_IN[group].get(name):
        module, _, attribute = path.partition(":")
        return getattr(importlib.import_module(module), attribute)
    entry = _installed(group).get(name)
    if entry is None:
        raise UnknownName(group.rstrip("s"), name, names(group))
    try:
        return entry.load()
    except Exception as error:
        raise ConfigError(
            f"{group.rstrip('s')} {name!r} of package {entry.dist and entry.dist.name} cannot be imported: {error}",
            hint="update or uninstall that package",
        ) from error
