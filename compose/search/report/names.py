"""A pipeline in one short line, as tables and charts show it."""

from __future__ import annotations

from typing import Any


def short(pipeline: dict[str, Any]) -> str:
    """One line for a pipeline-file object.

    >>> short({"version": 1, "steps": [{"use": "generate", "model": "replay/set/gpt-4o"}]})
    'gpt-4o'
    """
    return " → ".join(_step(step) for step in pipeline["steps"])


def model_name(id: str) -> str:
    """The last part of a model's id, without its date where it has one.

    >>> model_name("replay/set/gpt-4o-2024-08-06")
    'gpt-4o'
    """
    name = id.rpartition("/")[2]
    head, _, tail = name.rpartition("-")
    while head and tail.isdigit() and len(tail) in (2, 4, 8):
        name = head
        head, _, tail = name.rpartition("-")
    return name


def _step(step: dict[str, Any]) -> str:
    if "parallel" in step:
        branches = step["parallel"]
        return "(" + " | ".join(short(b) if "steps" in b else _step(b) for b in branches) + ")"
    models = [model_name(m) for m in (step.get("models") or ([step["model"]] if "model" in step else []))]
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
