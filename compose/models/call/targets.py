"""Which model an id or a name of `compose.toml` is, for one caller."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from compose.config import Config, ModelConfig
from compose.errors import ConfigError
from compose.models.call.limits import Limits, Pace, Slots
from compose.models.call.target import Target
from compose.models.model import Model


class Targets:
    """Models and their limits, made on first use.

    All names of one model share the model itself, unless they name other keys,
    servers or prices, and every limit that they have in common.
    """

    def __init__(self, *, slots: Slots, timeout: float, data: Path | None) -> None:
        self._shared = slots
        self._timeout = timeout
        self._data = data
        self._given: dict[str, Model] = {}
        self._targets: dict[str, Target] = {}
        self._models: dict[Hashable, Model] = {}
        self._slots: dict[Hashable, Slots] = {}
        self._paces: dict[Hashable, Pace] = {}

    def add(self, model: Model) -> None:
        """Use this model for its id and for all names that stand for it."""
        self._given[model.id] = model
        self._targets.clear()

    def get(self, id: str, config: Config) -> Target:
        """The target of an id or name; raises `UnknownName` and `ConfigError`."""
        target = self._targets.get(id)
        if target is None:
            target = self._targets[id] = self._made(id, config)
        return target

    async def aclose(self) -> None:
        """Close all models; those that were added are kept for later."""
        models = [*self._given.values(), *self._models.values()]
        for made in (self._targets, self._models, self._slots, self._paces):
            made.clear()
        for model in models:
            await model.aclose()

    def _made(self, id: str, config: Config) -> Target:
        from compose.models.resolve import lookup

        of, settings = lookup(id, config, final=self._given)
        if id in config.models and id in config.models[id].fallbacks:
            raise ConfigError(f"model {id!r} is its own fallback", hint="remove it from `fallbacks`")
        model = self._given.get(of) or self._model(of, settings, config)
        return Target(id, model, settings, limits=self._limits(of, model, settings), timeout=self._timeout)

    def _model(self, id: str, settings: ModelConfig, config: Config) -> Model:
        from compose.models.resolve import make

        key = (id, settings.base_url, settings.api_key_env, settings.price)
        model = self._models.get(key)
        if model is None:
            model = self._models[key] = make(id, settings, config, data=self._data)
        return model

    def _limits(self, id: str, model: Model, settings: ModelConfig) -> Limits:
        at_once: int | None = settings.concurrency or getattr(model, "concurrency", None)
        own = self._slots.setdefault((id, at_once), Slots(at_once)) if at_once else None
        return Limits(own, self._pace(id, "rpm", settings.rpm), self._pace(id, "tpm", settings.tpm), self._shared)

    def _pace(self, id: str, what: str, per_minute: float | None) -> Pace | None:
        return self._paces.setdefault((id, what, per_minute), Pace(per_minute)) if per_minute else None
