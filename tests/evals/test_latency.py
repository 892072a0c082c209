"""The time of an answer is the critical path of its calls' own seconds, however they were had."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import compose as c
from compose.evals.latency import CriticalPath
from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.models.model import Model
from compose.pipeline.graph import Pipeline
from compose.testing.scripted import ScriptedModel
from compose.types import Message, Request, Response, Usage


def timed(id: str, seconds: float) -> ScriptedModel:
    return ScriptedModel(id, answer=lambda _: Response("4", id, Usage(1, 1), seconds=seconds), stored=True)


@pytest.fixture
def times() -> Sequence[Model]:
    return [timed("slow", 2.0), timed("quick", 0.5), timed("untimed", 0.0)]


@pytest.mark.parametrize(
    ("pipeline", "seconds"),
    [
        (c.generate("slow"), 2.0),
        (c.generate("slow") | c.generate("quick", n=4), 2.0),
        ((c.generate("slow") | c.generate("quick")) >> c.critique("quick") >> c.fuse("slow"), 4.5),
        (c.generate("slow") | (c.generate("quick") >> c.critique("quick")), 2.0),
        ((c.generate("slow") | (c.generate("quick") >> c.critique("quick"))) >> c.fuse("quick"), 2.5),
        (c.generate("slow") | (c.generate("quick") >> c.vote() >> c.fuse("quick")), 2.0),
        (c.generate("slow") | c.generate("untimed"), None),
        (c.generate("untimed"), None),
    ],
)
async def test_the_seconds_of_calls_add_up_along_the_longest_way(
    pipeline: Pipeline, seconds: float | None, times: Sequence[Model], caller_of: Callable[..., Caller]
) -> None:
    path = CriticalPath(caller_of(*times), pipeline)
    await pipeline.arun("2 + 2?", caller=path)
    assert path.seconds == seconds


async def test_steps_without_calls_are_looked_through_however_many_they_are(
    times: Sequence[Model], caller_of: Callable[..., Caller]
) -> None:
    voted = Pipeline((c.vote() | c.vote()).steps * 600)
    pipeline = c.generate("quick") >> voted >> c.fuse("slow")
    path = CriticalPath(caller_of(*times), pipeline)
    await pipeline.arun("2 + 2?", caller=path)
    assert path.seconds == 2.5


async def test_a_stream_is_timed(times: Sequence[Model], caller_of: Callable[..., Caller]) -> None:
    path = CriticalPath(caller_of(*times), c.generate("slow"))
    deltas = [d async for d in path.stream(Request("slow", (Message("user", "2 + 2?"),)), Ledger())]
    assert deltas[-1].response is not None
    assert path.seconds == 2.0
