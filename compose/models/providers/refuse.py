"""Say no, by name, to what a model does not take, before any call is made."""

from __future__ import annotations

from compose.errors import ConfigError
from compose.models.model import Abilities
from compose.types import Request


def refuse(request: Request, abilities: Abilities, model: str) -> None:
    """Raise `ConfigError` naming the first thing in `request` that the model does not take."""
    for message in request.messages:
        if type(message.content) is list:
            _refuse_parts(message.content, abilities, model)
    p = request.params
    if p.tools and not abilities.tools:
        raise _no(model, "tools")
    if p.response_format is not None and not abilities.response_format:
        raise _no(model, "response_format")
    if (p.logprobs or p.top_logprobs) and not abilities.logprobs:
        raise _no(model, "logprobs")
    if p.grammar is not None and not abilities.grammar:
        raise _no(model, "grammar")
    if p.effort is not None and not abilities.effort:
        raise _no(model, "effort")
    if p.temperature is not None and not abilities.temperature:
        raise _no(model, "temperature")


def _refuse_parts(parts: list[dict[str, object]], abilities: Abilities, model: str) -> None:
    for part in parts:
        kind = part.get("type")
        if kind in ("image_url", "image") and not abilities.images:
            raise _no(model, "image parts")
        if kind in ("input_audio", "audio") and not abilities.audio:
            raise _no(model, "audio parts")


def _no(model: str, what: str) -> ConfigError:
    return ConfigError(f"{model} does not take {what}", hint="leave it out, or choose a model that takes it")
