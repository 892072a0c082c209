"""An id becomes a model.

    tiny/NAME, local/NAME, local/PATH.gguf   in process, llama.cpp
    http://host:port/v1#model                an OpenAI-style server
    replay/SET/MODEL                         recorded outputs
    provider/model, or a well-known name     LiteLLM
    NAME/…                                   a provider that an installed package registered
    any name in compose.toml                 what it stands for there
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from compose import registry
from compose.config import Config
from compose.errors import ConfigError, UnknownName
from compose.models.hosted import is_hosted, well_known
from compose.models.model import Model


def resolve(id: str, config: Config, *, data: Path | None = None) -> Model:
    """Make the model that `id` names; nothing is loaded or connected yet.

    `data` is the folder in which `replay/` looks first. Raises `UnknownName`
    with the nearest id, and `ConfigError` for an id that cannot be used.
    """
    target, config = _unalias(id, config)
    return registry.find("providers", provider_of(target)).make(target, config, data)


def provider_of(id: str) -> str:
    """The name of the provider that serves an id.

    >>> provider_of("replay/zeroeval_gsm/gemini-1.5-flash")
    'replay'
    """
    if id.startswith(("http://", "https://")):
        return "http"
    prefix, slash, rest = id.partition("/")
    if slash and rest and prefix in registry.names("providers") and prefix not in ("http", "litellm"):
        return prefix
    if is_hosted(id):
        return "litellm"
    raise UnknownName("model", id, [*well_known(), "local/smollm2-135m"], hint=_hint(id))


def _hint(id: str) -> str | None:
    near = UnknownName("model", id, [*well_known(), "local/smollm2-135m", "local/"]).nearest
    start = f"did you mean `{near}`? " if near else ""
    return f"{start}`compose models list` shows what can be called; compose.toml can name more"


def _unalias(id: str, config: Config) -> tuple[str, Config]:
    """Follow the names of compose.toml; what the alias sets wins over what its target sets."""
    seen = [id]
    while (entry := config.models.get(seen[-1])) is not None:
        target = entry.id or seen[-1]
        if entry.base_url and not target.startswith(("http://", "https://")) and not is_hosted(target):
            target = f"{entry.base_url}#{target}"
        if target == seen[-1]:
            break
        if target in seen:
            raise ConfigError(f"model names in compose.toml go in a circle: {' -> '.join([*seen, target])}")
        config = msgspec.structs.replace(config, models={**config.models, target: entry})
        if entry.id is None or entry.base_url:
            return target, config
        seen.append(target)
        break
    return seen[-1], config
