"""Streaming: the last step's tokens as they arrive, then the whole answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from compose.models.ledger import Ledger
from compose.models.model import Delta
from compose.pipeline.result import finish, loop_caller
from compose.pipeline.run import Run, execute
from compose.types import Response, State

if TYPE_CHECKING:
    from compose.pipeline.graph import Pipeline, Question
    from compose.pipeline.run import Calls


async def stream(
    pipeline: Pipeline, question: Question, *, caller: Calls | None, ledger: Ledger | None, seed: int
) -> AsyncGenerator[Delta]:
    """`Pipeline.astream`. Leaving the loop early cancels every call under way."""
    pipeline.check()
    pieces: asyncio.Queue[Delta | None] = asyncio.Queue()
    run = Run(caller or await loop_caller(), Ledger(ledger), seed=seed, on_delta=pieces.put_nowait)
    task = asyncio.ensure_future(execute(pipeline, State.ask(question), run))
    task.add_done_callback(lambda _: pieces.put_nowait(None))
    streamed = False
    try:
        while (piece := await pieces.get()) is not None:
            streamed = True
            yield piece
        result = finish(await task, run)
        whole = Response(
            result.text, ",".join(pipeline.models()), usage=result.usage, usd=result.usd, seconds=result.seconds
        )
        yield Delta("" if streamed else result.text, whole)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
