"""Recorded outputs: `replay/SET/MODEL` answers from SET's files, or says that it cannot.

Same prompt, same sample index, same answer; of a prompt that was recorded with
several settings, the answers of the settings asked for. SET is looked up in `data`, then
in `COMPOSE_DATA`, then in the user's own recordings. A prompt or a sample that
was not recorded is a `ModelError`, never a guess.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from compose.config import Config, user_dir
from compose.cost import price_of
from compose.errors import ConfigError, UnknownName
from compose.models.model import Delta
from compose.models.providers.refuse import refuse
from compose.models.recorded import Recorded, open_set
from compose.types import Request, Response


class Replay:
    """One model of a recorded set; the set is read once, by the first call."""

    kind = "replay"
    stored = True

    def __init__(self, id: str, recorded: Recorded, name: str) -> None:
        self.id = id
        self.price = recorded.price(name)
        self.abilities = recorded.abilities(name)
        self._recorded = recorded
        self._name = name

    @classmethod
    def make(cls, id: str, config: Config, data: Path | None) -> Replay:
        """The model of an id `replay/SET/MODEL`; `UnknownName` where it is not recorded."""
        _, _, rest = id.partition("/")
        set_name, slash, name = rest.partition("/")
        if not slash or not name or set_name in (".", ".."):
            raise ConfigError(f"{id!r} names no recorded model", hint="write it as replay/SET/MODEL")
        recorded = open_set(find_set(set_name, data))
        if name not in recorded.models:
            raise UnknownName("model", name, recorded.models, where=f"recorded set {set_name}: ")
        return cls(id, recorded, name)

    async def complete(self, request: Request) -> Response:
        """Look the answer up: by the messages, the sample's index, and settings where the set holds several."""
        refuse(request, self.abilities, self.id)
        found = self._recorded.answer(self._name, request, self.id)
        return Response(
            found.text or "",
            self.id,
            found.usage,
            price_of(found.usage, self.price),
            found.seconds,
            found.finish_reason,
            found.tool_calls,
            found.logprobs,
            found.reasoning,
        )

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """The recorded answer in one piece."""
        response = await self.complete(request)
        yield Delta(response.text)
        yield Delta(response=response)

    async def aclose(self) -> None:
        """Nothing to give back: the set is shared."""


def roots(data: Path | None) -> list[Path]:
    """The folders that hold recorded sets, in the order they are looked at."""
    found = [data] if data else []
    if named := os.environ.get("COMPOSE_DATA"):
        found.append(Path(named))
    return [*found, user_dir() / "recordings"]


def find_set(name: str, data: Path | None) -> Path:
    """The folder of a set; `UnknownName` with the nearest where no root has it."""
    places = roots(data)
    for root in places:
        folder = root / name
        if (folder / "records.jsonl.gz").is_file():
            return folder
    known = sorted({p.parent.name for root in places for p in root.glob("*/records.jsonl.gz")})
    hint = None if known else "name the folder that holds it with --data or COMPOSE_DATA"
    raise UnknownName("recorded set", name, known, hint=hint)
