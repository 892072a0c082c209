"""A pipeline in one short line, as tables and charts show it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")


def short(pipeline: dict[str, Any], among: Collection[str] = ()) -> str:
    """One line for a pipeline-file object; `among` are the ids of all models that could be meant.

    >>> short({"version": 1, "steps": [{"use": "generate", "model": "replay/set/gpt-4o"}]})
    'gpt-4o'
    """
    return " → ".join(_step(step, among) for step in pipeline["steps"])


def model_name(id: str, among: Collection[str] = ()) -> str:
    """The last part of a model's id, without its date, as far as that is one model's name among others.

    >>> model_name("replay/set/gpt-4o-2024-08-06")
    'gpt-4o'
    >>> model_name("replay/set/gpt-4o-2024-08-06", ["replay/set/gpt-4o-2024-05-13"])
    'gpt-4o-2024-08-06'
    """
    name = _last(id)
    others = {_last(other) for other in among if other != id}
    if all(_DATE.sub("", other) != _DATE.sub("", name) for other in others):
        return _DATE.sub("", name)
    return id if name in others else name


def _last(id: str) -> str:
    return id.rpartition("/")[2]


def _step(step: dict[str, Any], among: Collection[str]) -> str:
    if "parallel" in step:
        branches = step["parallel"]
        return "(" + " | ".join(short(b, among) if "steps" in b else _step(b, among) for b in branches) + ")"
    models = [model_name(m, among) for m in (step.get("models") or ([step["model"]] if "model" in step else []))]
    match step["use"]:
        case "generate":
            return models[0] + (f" × {step['n']}" if step.get("n", 1) > 1 else "")
        case "cascade":
            final = "last" if step.get("final") == "last" else "vote"
            return f"{' ▸ '.join(models)} (until {step.get('agree', 2)} agree, else {final})"
        case "ensemble":
            return " + ".join(models)
        case use:
            return f"{use}{f' by {models[0]}' if models else ''}"
