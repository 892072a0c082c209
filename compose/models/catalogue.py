"""What can be called, and fetching what is not here yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from compose.config import Config
from compose.errors import ComposeError, UnknownName
from compose.models import prices
from compose.models.hosted import well_known
from compose.models.providers.replay import roots
from compose.models.recorded import open_set
from compose.models.resolve import resolve
from compose.models.weights import KNOWN, Weights, at_hand, notional
from compose.types import Price


class ModelInfo(msgspec.Struct, frozen=True):
    """A line of `compose models list`; prices in USD per million tokens, `None` where unknown."""

    id: str
    kind: str
    usd_per_mtok_in: float | None
    usd_per_mtok_out: float | None
    context: int | None
    available: bool
    """Whether it can be called now: files present, package installed. No server is asked."""
    note: str = ""
    samples: int | None = None
    """For recorded models, the most samples of a prompt, where that is known without reading all."""


def list_models(config: Config, data: Path | None = None) -> list[ModelInfo]:
    """All models that are known by name: of compose.toml, on disk, recorded, and a few hosted ones.

    Makes no call and opens no connection; LiteLLM is not imported.
    """
    found = [*_configured(config), *_local(), *_recorded(data), *_hosted()]
    return list({info.id: info for info in reversed(found)}.values())[::-1]


def _configured(config: Config) -> Iterator[ModelInfo]:
    for name, settings in config.models.items():
        try:
            model = resolve(name, config)
        except ComposeError as error:
            yield ModelInfo(name, "config", *_rates(settings.price), None, False, error.message)
            continue
        note = f"stands for {model.id}" if model.id != name else ""
        yield ModelInfo(name, model.kind, *_rates(settings.price or model.price), model.abilities.context, True, note)


def _local() -> Iterator[ModelInfo]:
    from compose.models.providers.local import ABILITIES

    tiny = Path(__file__).parent / "tiny"
    for path in sorted(tiny.glob("*.gguf")):
        model = resolve(f"tiny/{path.stem}", Config())
        yield ModelInfo(model.id, "local", *_rates(model.price), model.abilities.context, True, "shipped")
    for name, weights in KNOWN.items():
        here = at_hand(weights) is not None
        note = "notional price" if here else f"compose models pull {name}"
        yield ModelInfo(f"local/{name}", "local", *_rates(notional(weights.parameters)), ABILITIES.context, here, note)


def _recorded(data: Path | None) -> Iterator[ModelInfo]:
    seen: set[str] = set()
    for root in roots(data):
        for path in sorted(root.glob("*/records.jsonl.gz")):
            recorded = open_set(path.parent)
            if recorded.name in seen or not recorded.replayable:
                continue
            seen.add(recorded.name)
            for name, samples in recorded.listing():
                rates = _rates(recorded.price(name))
                yield ModelInfo(f"replay/{recorded.name}/{name}", "replay", *rates, None, True, samples=samples)


def _hosted() -> Iterator[ModelInfo]:
    installed = bool(prices.table())
    note = "needs a key" if installed else "pip install 'compose-llm[litellm]'"
    for id in well_known():
        if not installed or prices.entry(id) is not None:
            yield ModelInfo(id, "litellm", *_rates(prices.price(id)), prices.abilities(id).context, installed, note)


def _rates(price: Price | None) -> tuple[float | None, float | None]:
    return (price.input, price.output) if price else (None, None)


async def pull(name: str, *, progress: Callable[[int, int], None] | None = None, force: bool = False) -> Path:
    """Fetch weights by name into the user's folder, unless they are at hand; returns their path.

    The file is verified by size and SHA-256 and appears only when it is whole.
    `progress` is told bytes so far and in all. Raises `UnknownName`,
    `Unreachable`, `ServerError`, `BadResponse` (wrong digest) and `ConfigError`
    (no room).
    """
    from compose.models.pull import fetch

    weights = _weights(name)
    if not force and (found := at_hand(weights)) is not None:
        return found
    return await fetch(weights, progress=progress)


def _weights(name: str) -> Weights:
    short = name.removeprefix("local/")
    if short not in KNOWN:
        raise UnknownName("local model", name, KNOWN)
    return KNOWN[short]
