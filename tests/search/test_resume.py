"""A search that was killed, its models and its money: resumed, it reports what an uninterrupted one does."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable
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
from compose.types import Json
from tests.search.conftest import Toy

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("good", "bad", "dead")
ITEMS = 40


def answer(asked: Json) -> Reply | str:
    """`good` knows most sums, `bad` every other one, `dead` refuses; the same prompt gets the same answer."""
    number = int(re.findall(r"What is (\d+)", json.dumps(asked["messages"]))[0])
    match asked["model"]:
        case "good":
            return f"The answer is {number + 1 if number % 9 else 0}"
        case "bad":
            return f"The answer is {number + 1 if number % 2 else 0}"
        case _:
            return Reply(status=400, error="no such model")


class Killer:
    """Answers like `answer`, and calls `kill` at the request of that number."""

    def __init__(self) -> None:
        self.at = 0
        self.asked = 0
        self.kill: Callable[[], None] = lambda: None

    def __call__(self, asked: Json) -> Reply | str:
        """Answer, or be the last one to be asked."""
        self.asked += 1
        if self.asked == self.at:
            self.kill()
        return answer(asked)


def write_inputs(folder: Path, server: FakeServer) -> None:
    """A benchmark of sums, and prices for the models."""
    rows = [{"id": f"q{i}", "prompt": f"What is {i} + 1?", "target": str(i + 1)} for i in range(ITEMS)]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    prices = {"good": 10.0, "bad": 1.0, "dead": 1.0}
    tables = [
        f'[models.{name}]\nid = "{server.id(name)}"\nprice = {{ input = {usd}, output = {usd} }}\n'
        for name, usd in prices.items()
    ]
    (folder / "c.toml").write_text("\n".join(tables))


def searching(folder: Path, out: str, *more: str) -> Awaitable[asyncio.subprocess.Process]:
    """`compose search` in a process of its own, with a cache of its own beside its folder."""
    models = [part for name in MODELS for part in ("--model", name)]
    line = ["search", "--benchmark", "sums.jsonl", "--scorer", "number", *models, "--config", "c.toml"]
    env = {"PYTHONPATH": str(ROOT), "COMPOSE_CACHE": str(folder / f"{out}.cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    return asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "compose", *line, "--trials", "14", "--out", out, "--json", *more],
        cwd=folder,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


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
