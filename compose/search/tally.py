"""Which calls a search made itself, also where it was killed before it kept their trial.

A resumed search finds the answers of the trial that was cut off in the cache,
and yet it made those calls. `calls.log` in its folder has a line for the first
use of each call, written before the call, and a second one where the answer
turns out to have been in the cache before the search.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from compose.models.ledger import Ledger, Totals

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection
    from pathlib import Path

    from compose.models.model import Delta
    from compose.pipeline.run import Calls
    from compose.types import Request, Response

LOG = "calls.log"
ASKED, KNOWN = "+", "-"


class Tally:
    """Stands before a caller and notes which calls are made for which part of a search.

    Calls of `recorded` models pass unnoted: what lies on disk is never made twice.
    """

    def __init__(self, caller: Calls, path: Path, *, recorded: Collection[str] = ()) -> None:
        self._caller = caller
        self._path = path
        self._recorded = frozenset(recorded)
        self._part = ""
        self._left: set[str] = set()
        self._used: set[str] = set()
        self._recovered = Ledger()

    def begin(self, part: str) -> None:
        """What follows belongs to this part; what an earlier process asked for it counts as made by it."""
        self._part = part
        self._left = _read(self._path, part)

    def take(self) -> Totals:
        """The calls since the last time that were cached and yet made for this part, by an earlier process."""
        recovered, self._recovered = self._recovered, Ledger()
        return recovered.total

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """`Caller.call`, noted at the first use of a request. Raises `OSError` where that cannot be written."""
        key = "" if request.model in self._recorded else _digest(request)
        if not key or key in self._used:
            return await self._caller.call(request, ledger, node=node)
        self._used.add(key)
        left = key in self._left
        if not left:
            self._note(ASKED, key)
        response = await self._caller.call(request, ledger, node=node)
        if response.cached and left:
            made = msgspec.structs.replace(response, cached=False)
            self._recovered.record(made, node=node, spent=response.usd)
        elif response.cached:
            self._note(KNOWN, key)
        return response

    def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """`Caller.stream`, unnoted: a search does not stream."""
        return self._caller.stream(request, ledger, node=node)

    def _note(self, sign: str, key: str) -> None:
        with self._path.open("a", encoding="ascii") as log:
            log.write(f"{self._part} {sign} {key}\n")


def _digest(request: Request) -> str:
    return hashlib.blake2b(msgspec.json.encode(request), digest_size=16).hexdigest()


def _read(path: Path, part: str) -> set[str]:
    """The calls asked for a part that were not there before; a line that was cut off is no line."""
    if not path.exists():
        return set()
    lines = [line.split() for line in path.read_text("ascii").splitlines()]
    noted = [(line[1], line[2]) for line in lines if len(line) == 3 and line[0] == part]
    return {key for sign, key in noted if sign == ASKED} - {key for sign, key in noted if sign == KNOWN}
