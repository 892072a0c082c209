"""What LiteLLM's table says of a model: its price and what it takes. Read from the file, without the import."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import msgspec

from compose.models.model import Abilities
from compose.types import Price

MILLION = 1e6
_FILE = "model_prices_and_context_window_backup.json"
_FIXED_TEMPERATURE = ("o1", "o3", "o4", "gpt-5")
"""How the names of models start that refuse any temperature but their own."""


class Entry(msgspec.Struct):
    """A row of the table, as far as it is used."""

    litellm_provider: str = ""
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None
    cache_read_input_token_cost: float | None = None
    cache_creation_input_token_cost: float | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    mode: str | None = None
    supports_vision: bool | None = None
    supports_audio_input: bool | None = None
    supports_function_calling: bool | None = None
    supports_response_schema: bool | None = None
    supports_reasoning: bool | None = None


@cache
def table() -> dict[str, msgspec.Raw]:
    """All rows, undecoded; empty where LiteLLM is not installed. Takes about 10 ms once."""
    spec = find_spec("litellm")
    folder = next(iter(spec.submodule_search_locations or ()), None) if spec else None
    path = Path(folder) / _FILE if folder else None
    return msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw]) if path and path.is_file() else {}


@cache
def entry(id: str) -> Entry | None:
    """The row of a model, by its whole id or, where that has none, by what follows the provider."""
    rows = table()
    for name in (id, id.partition("/")[2]):
        if name and (row := rows.get(name)) is not None:
            try:
                return msgspec.json.decode(row, type=Entry, strict=False)
            except msgspec.ValidationError:  # a row of prose, such as the table's own specimen
                return None
    return None


def price(id: str) -> Price | None:
    """The list price in USD per million tokens, `None` where the table has none.

    A bare name in the table has the price of the provider that the table gives;
    what another one asks for a model of that name is unknown.
    """
    row = entry(id)
    if row is None or row.input_cost_per_token is None or row.output_cost_per_token is None:
        return None
    provider, slash, _ = id.partition("/")
    if slash and id not in table() and not row.litellm_provider.startswith(provider):
        return None
    return Price(
        input=row.input_cost_per_token * MILLION,
        output=row.output_cost_per_token * MILLION,
        cached=_per_million(row.cache_read_input_token_cost),
        cache_write=_per_million(row.cache_creation_input_token_cost),
        source=f"LiteLLM {_version()} price table",
    )


def _per_million(cost: float | None) -> float | None:
    return None if cost is None else cost * MILLION


def _version() -> str:
    try:
        return version("litellm")
    except PackageNotFoundError:
        return "?"


def abilities(id: str) -> Abilities:
    """What a model takes; of a model that the table does not know everything is left to its server."""
    row = entry(id)
    if row is None:
        return Abilities(images=True, audio=True, tools=True, response_format=True, logprobs=True, effort=True)
    return Abilities(
        images=bool(row.supports_vision),
        audio=bool(row.supports_audio_input),
        tools=bool(row.supports_function_calling),
        response_format=bool(row.supports_response_schema or row.supports_function_calling),
        logprobs=True,
        temperature=not id.rpartition("/")[2].startswith(_FIXED_TEMPERATURE),
        effort=bool(row.supports_reasoning),
        context=row.max_input_tokens,
        max_output=row.max_output_tokens,
    )
