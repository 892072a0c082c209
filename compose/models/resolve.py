"""An id becomes a model.

tiny/NAME, local/NAME, local/PATH.gguf   in process, llama.cpp
http://host:port/v1#model                an OpenAI-style server
replay/SET/MODEL                         recorded outputs
provider/model, or a well-known name     LiteLLM
NAME/…                                   a provider that an installed package registered
any name in compose.toml                 what it stands for there
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

import msgspec

from compose import registry
from compose.config import Config, ModelConfig
from compose.errors import ConfigError, UnknownName
from compose.models.hosted import is_hosted, well_known
from compose.models.model import Model
from compose.models.weights import KNOWN
from compose.types import changed


def resolve(id: str, config: Config, *, data: Path | None = None) -> Model:
    """Make the model that `id` names; nothing is loaded or connected yet.

    `data` is the folder in which `replay/` looks first. Raises `UnknownName`
    with the nearest id, and `ConfigError` for an id that cannot be used.
    """
    target, settings = lookup(id, config)
    return make(target, settings, config, data=data)


def lookup(id: str, config: Config, *, final: Container[str] = ()) -> tuple[str, ModelConfig]:
    """The model that an id stands for in the end, and the settings that hold for it under this id.

    What a name sets wins, all else is as its target says; sampling settings are
    joined one by one. A key belongs to the server that it is named for: a name
    with a server of its own does not take over its target's key. Ids in `final`
    stand for themselves. Raises `ConfigError` for names that go in a circle, and
    for an id that a file which is not trusted sends elsewhere.
    """
    seen, settings = [id], ModelConfig()
    while True:
        name = seen[-1]
        below = config.models.get(name, ModelConfig())
        _check_honest(name, below, config)
        settings = _over(settings, below)
        target = name if name in final else below.id or name
        if target == name and settings.base_url and not (name in final or is_hosted(name)):
            target, settings = _at(settings.base_url, name), _replace(settings, base_url=None)
        if target == name:
            return name, _replace(settings, id=name)
        if target in seen:
            raise ConfigError(f"model names in compose.toml go in a circle: {' -> '.join([*seen, target])}")
        seen.append(target)


def _check_honest(name: str, settings: ModelConfig, config: Config) -> None:
    """A file that was merely found may give names, but makes no id stand for, or fall back to, another model."""
    if config.trusted or not (settings.fallbacks or settings.id not in ("", name)):
        return
    try:
        provider_of(name)
    except UnknownName:
        return
    raise ConfigError(
        f"{config.path} makes {name} another model, and its folder is not trusted",
        hint=f"compose trust {config.path.parent if config.path else 'FOLDER'}",
    )


def make(id: str, settings: ModelConfig, config: Config, *, data: Path | None = None) -> Model:
    """The model of an id that `lookup` gave, with the settings that it gave; raises as `resolve` does."""
    try:
        provider = provider_of(id, config.models)
    except UnknownName as error:
        if id not in config.models:
            raise
        known = [name for name in config.models if name != id]
        hint = UnknownName("model", id, [*known, *_KNOWN]).hint
        message = f"model {id!r} in compose.toml stands for itself, and no provider knows that name"
        raise ConfigError(message, hint=f"give it the `id` of a model; {hint}") from error
    config = _replace(config, models={**config.models, id: settings})
    return registry.find("providers", provider).make(id, config, data)


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
    error = UnknownName("model", id, [*named, *_KNOWN])
    near = f"did you mean `{error.nearest}`? " if error.nearest else ""
    error.hint = f"{near}`compose models list` shows what can be called; compose.toml can name more"
    raise error


_NO_PREFIX = ("http", "litellm")
"""Providers whose ids do not start with their name."""
_KNOWN = (*well_known(), *(f"local/{name}" for name in KNOWN))
_replace = msgspec.structs.replace


def _at(server: str, name: str) -> str:
    """The model of that name, or of that name at another server, at a server."""
    return f"{server.rstrip('/')}#{name.partition('#')[2] if '://' in name else name}"


def _over(above: ModelConfig, below: ModelConfig) -> ModelConfig:
    """What the settings above leave open is as those below say."""
    if above.base_url is not None:
        below = _replace(below, api_key_env=None)
    return _replace(below, **{**changed(above), "params": above.params.over(below.params)})
