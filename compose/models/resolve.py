"""An id becomes a model.

tiny/NAME, local/NAME, local/PATH.gguf   in process, llama.cpp
http://host:port/v1#model                an OpenAI-style server
replay/SET/MODEL                         recorded outputs
provider/model, or a well-known name     LiteLLM
NAME/…                                   a provider that an installed package registered
any name in compose.toml                 what it stands for there
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from compose import registry
from compose.config import Config, ModelConfig
from compose.errors import ConfigError, UnknownName
from compose.models.hosted import is_hosted, well_known
from compose.models.model import Model
from compose.models.weights import KNOWN


def resolve(id: str, config: Config, *, data: Path | None = None) -> Model:
    """Make the model that `id` names; nothing is loaded or connected yet.

    `data` is the folder in which `replay/` looks first. Raises `UnknownName`
    with the nearest id, and `ConfigError` for an id that cannot be used.
    """
    target, config = _unalias(id, config)
    return registry.find("providers", provider_of(target, config.models)).make(target, config, data)


def provider_of(id: str, named: Iterable[str] = ()) -> str:
    """The name of the provider that serves an id; `named` are other ids that could have been meant.

    >>> provider_of("replay/zeroeval_gsm/gemini-1.5-flash")
    'replay'
    """
    if id.startswith(("http://", "https://")):
        return "http"
    prefix, slash, rest = id.partition("/")
    if slash and rest and prefix in registry.names("providers") and prefix not in _NO_PREFIX:
        return prefix
    if is_hosted(id):
        return "litellm"
    error = UnknownName("model", id, [*named, *well_known(), *(f"local/{name}" for name in KNOWN)])
    near = f"did you mean `{error.nearest}`? " if error.nearest else ""
    error.hint = f"{near}`compose models list` shows what can be called; compose.toml can name more"
    raise error


_NO_PREFIX = ("http", "litellm")
"""Providers whose ids do not start with their name."""


def _unalias(id: str, config: Config) -> tuple[str, Config]:
    """Follow the names of compose.toml; what the alias sets wins over what its target sets."""
    seen = [id]
    settings = config.models.get(id)
    while settings is not None:
        target = _target(seen[-1], settings)
        if target == seen[-1]:
            break
        if target in seen:
            raise ConfigError(f"model names in compose.toml go in a circle: {' -> '.join([*seen, target])}")
        seen.append(target)
        below = config.models.get(target)
        settings = _over(settings, below) if below else settings
        config = msgspec.structs.replace(config, models={**config.models, target: settings})
        if below is None:
            break
    return seen[-1], config


def _target(name: str, settings: ModelConfig) -> str:
    """What a name stands for; with a server of its own, a name that no provider knows is a model there."""
    target = settings.id or name
    if settings.base_url and "://" not in target and not is_hosted(target):
        return f"{settings.base_url}#{target}"
    return target


def _over(settings: ModelConfig, below: ModelConfig) -> ModelConfig:
    """What an alias leaves open is as its target says; `id` and `base_url` are the target's."""
    return msgspec.structs.replace(
        below, api_key_env=settings.api_key_env or below.api_key_env, price=settings.price or below.price
    )
