"""A search that was killed, its models and its money: resumed, it reports what an uninterrupted one does."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any, cast

import pytest

from compose.errors import AuthError, ModelError
from compose.models.call import Caller
from compose.search.record import Failure, read_record
from compose.search.search import search
from compose.search.space import Space
from compose.search.study import open_study
from compose.testing.server import FakeServer, Reply
from tests.search.conftest import Toy
from tests.search.processes import Killer, answer, searching, write_inputs


async def result_of(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """What a search says that is about its pipelines: no clock and no folder."""
    out, err = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 0, err.decode()
    return without_clock(json.loads(out))


def without_clock(said: Any) -> Any:
    """The same without seconds and latencies, and without the order in which dollars were added up."""
    if isinstance(said, dict):
        pairs = cast("dict[str, Any]", said).items()
        return {k: without_clock(v) for k, v in pairs if k not in ("seconds", "latency_s", "report")}
    if isinstance(said, list):
        return [without_clock(v) for v in cast("list[Any]", said)]
    return round(said, 12) if isinstance(said, float) else said


def tried(out: Path) -> Any:
    """Every trial: what, its marks, the calls it made, what it paid."""
    rows = [
        [t.measured.key, *t.measured.scores, t.measured.made, t.measured.usd_spent] for t in read_record(out).trials
    ]
    return without_clock(rows)


async def test_killed_at_any_point_a_live_search_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    killer = Killer()
    async with FakeServer(answer=killer, log=False) as server:
        write_inputs(tmp_path, server)
        whole = await result_of(await searching(tmp_path, "whole"))
        assert [e["model"].endswith("#dead") for e in whole["errors"]] == [True]
        assert whole["calls"]["made"] > 0
        total = killer.asked
        for number, share in enumerate((0.5, 0.98)):
            out = f"killed{number}"
            killer.asked, killer.at = 0, int(share * total)
            process = await searching(tmp_path, out)
            killer.kill = process.kill
            await process.communicate()
            assert process.returncode == -signal.SIGKILL
            resumed = await result_of(await searching(tmp_path, out, "--resume"))
            assert tried(tmp_path / out) == tried(tmp_path / "whole")
            assert resumed == whole


async def test_a_finished_live_search_resumes_to_itself(tmp_path: Path) -> None:
    killer = Killer()
    async with FakeServer(answer=killer, log=False) as server:
        write_inputs(tmp_path, server)
        first = await result_of(await searching(tmp_path, "run"))
        killer.asked = 0
        again = await result_of(await searching(tmp_path, "run", "--resume"))
    assert killer.asked == 0
    assert again == first


async def test_what_lay_in_the_cache_before_counts_as_cached(tmp_path: Path) -> None:
    async with FakeServer(answer=answer, log=False) as server:
        write_inputs(tmp_path, server)
        await result_of(await searching(tmp_path, "run"))
        (tmp_path / "other.cache").symlink_to(tmp_path / "run.cache")
        second = await result_of(await searching(tmp_path, "other"))
        resumed = await result_of(await searching(tmp_path, "other", "--resume"))
    assert second["calls"]["made"] == resumed["calls"]["made"] == 0
    assert second["usd_spent"] == resumed["usd_spent"] == 0.0


async def test_a_failure_outlives_the_process(recordings: Path, tmp_path: Path) -> None:
    """None of the models works; resumed, the search fails with the same error and asks nobody again."""
    async with FakeServer(answer=lambda _: Reply(status=401, error="no key")) as server:
        asked: list[int] = []
        for resume in (False, True):
            async with Caller(data=recordings, retries=0) as caller:
                with pytest.raises(AuthError) as caught:
                    await search(
                        Toy(), caller=caller, out=tmp_path / "run", models=[server.id()], limit=20, resume=resume
                    )
            assert caught.value.model == server.id()
            assert caught.value.message.count(server.id()) == 1
            asked.append(server.count)
    assert asked[0] == asked[1] > 0


def test_an_error_is_kept_whole() -> None:
    kept = Failure.of(AuthError("no key", model="m", hint="get one")).error()
    assert isinstance(kept, ModelError)
    assert (kept.kind, kept.message, kept.hint, kept.model) == ("AuthError", "m: no key", "get one", "m")


async def test_repeats_are_counted_from_what_is_stored(recordings: Path, tmp_path: Path) -> None:
    """A used-up space stays used up: resumed, the search proposes nothing more."""
    space = Space(models=tuple(Toy().models()), answer="number", shapes={"single": {}})
    out = tmp_path / "run"
    for resume in (False, True):
        async with Caller(data=recordings) as caller:
            await search(Toy(), caller=caller, out=out, space=space, trials=50, limit=20, resume=resume)
        stored = open_study(out, read_record(out).setup, resume=True)
        assert stored.repeats() == 40
