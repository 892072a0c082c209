"""How far a search is, told to whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Stage = Literal["dev", "test"]


class Progress(msgspec.Struct, frozen=True):
    """How far a search is: pipelines of this stage, items of the present pipeline, the best so far."""

    stage: Stage
    done: int
    total: int
    item: int
    items: int
    best: str = ""


OnProgress = Callable[[Progress], None]


class Teller:
    """Tells the progress of a search, or nobody."""

    def __init__(self, listener: OnProgress | None) -> None:
        self._listener = listener
        self._now = Progress("dev", 0, 0, 0, 0)

    def pipeline(self, stage: Stage, done: int, total: int, items: int, best: float | None) -> None:
        """Another pipeline begins; `best` is the best quality so far."""
        self._tell(Progress(stage, done, total, 0, items, "" if best is None else f"{100 * best:.1f} %"))

    def item(self) -> None:
        """Another item of it is done."""
        self._tell(msgspec.structs.replace(self._now, item=self._now.item + 1))

    def _tell(self, progress: Progress) -> None:
        self._now = progress
        if self._listener:
            self._listener(progress)
