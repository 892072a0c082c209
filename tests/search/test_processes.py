"""What happens to a search from outside: another one, Ctrl-C, a full disk. One line, the right status, nothing lost."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from compose.search.record import read_record
from compose.search.study import open_study
from compose.testing.server import FakeServer, Reply
from compose.types import Json
from tests.search.processes import answer, searching, write_inputs


class Stalling:
    """Answers like `answer` up to a number of requests; those after it wait until `free` is called."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.stalled = asyncio.Event()

    def __call__(self, asked: Json) -> Reply | str:
        """Answer, or let it wait."""
        self.left -= 1
        if self.left >= 0:
            return answer(asked)
        self.stalled.set()
        return Reply(fault="hang")

    def free(self) -> None:
        """Answer everything from now on."""
        self.left = 10**9


@asynccontextmanager
async def under_way(folder: Path, stalling: Stalling) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A search in `run` that waits for an answer; it does not outlive the test."""
    process = await searching(folder, "run")
    stalled, ended = asyncio.ensure_future(stalling.stalled.wait()), asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait((stalled, ended), timeout=45, return_when=asyncio.FIRST_COMPLETED)
        assert stalled.done(), "the search ended, or did not get as far"
        yield process
    finally:
        stalled.cancel()
        if process.returncode is None:
            process.kill()
        await ended


async def finished(process: asyncio.subprocess.Process) -> tuple[int | None, dict[str, Any], str]:
    """Exit status, the one JSON object on stdout, and stderr."""
    out, err = await asyncio.wait_for(process.communicate(), 50)
    return process.returncode, json.loads(out), err.decode()


async def test_the_second_of_two_searches_on_one_folder_is_refused(tmp_path: Path) -> None:
    stalling = Stalling(after=70)
    async with FakeServer(answer=stalling, log=False) as server:
        write_inputs(tmp_path, server)
        async with under_way(tmp_path, stalling) as first:
            for more in ((), ("--resume",)):
                status, error, err = await finished(await searching(tmp_path, "run", *more))
                assert status == 2
                assert "another search is running in 'run'" in error["message"]
                assert err.count("\n") == 2  # the line and its hint
            assert first.returncode is None
            first.send_signal(signal.SIGINT)
            assert (await finished(first))[0] == 130
        stalling.free()
        assert (await finished(await searching(tmp_path, "run", "--resume")))[0] == 0


@pytest.mark.parametrize(("times", "pause"), [(1, 0.0), (2, 0.01), (2, 0.2)])
async def test_ctrl_c_keeps_what_was_finished_and_says_how_to_go_on(tmp_path: Path, times: int, pause: float) -> None:
    stalling = Stalling(after=70)
    async with FakeServer(answer=stalling, log=False) as server:
        write_inputs(tmp_path, server)
        async with under_way(tmp_path, stalling) as process:
            for _ in range(times):
                with suppress(ProcessLookupError):  # it may have ended at the first
                    process.send_signal(signal.SIGINT)
                await asyncio.sleep(pause)
            status, error, err = await finished(process)
        assert status == 130
        assert error["kind"] == "Interrupted"
        assert "--out run --resume" in error["hint"]
        assert "Traceback" not in err
        stalling.free()
        kept = read_record(tmp_path / "run")
        assert kept.end == "interrupted"
        assert kept.trials
        status, _, err = await finished(await searching(tmp_path, "run", "--resume"))
        assert status == 0, err
    assert read_record(tmp_path / "run").trials[: len(kept.trials)] == kept.trials


def small_files(most: int) -> Callable[[], None]:
    """Let no file of a process grow beyond that many bytes; writing more is an error, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


async def test_no_room_for_the_study(tmp_path: Path) -> None:
    async with FakeServer(answer=answer, log=False) as server:
        write_inputs(tmp_path, server)
        process = await searching(tmp_path, "run", "--cache", "off", first=small_files(16_000))
        status, error, err = await finished(process)
        assert status == 2
        assert error["message"].startswith("cannot write to 'run'")
        assert "--resume" in error["hint"]
        assert "Traceback" not in err
        setup = read_record(tmp_path / "run").setup
        kept = open_study(tmp_path / "run", setup, resume=True).trials
        assert kept
        status, _, err = await finished(await searching(tmp_path, "run", "--cache", "off", "--resume"))
        assert status == 0, err
    assert read_record(tmp_path / "run").trials[: len(kept)] == kept


async def test_no_room_for_the_cache(tmp_path: Path) -> None:
    def long(asked: Json) -> Reply | str:
        said = answer(asked)
        return f"{'word ' * 3000}{said}" if isinstance(said, str) else said

    async with FakeServer(answer=long, log=False) as server:
        write_inputs(tmp_path, server)
        status, error, err = await finished(await searching(tmp_path, "run", first=small_files(400_000)))
        assert status == 2
        assert error["kind"] == "CacheError"
        assert "\n" not in error["message"]
        assert "Traceback" not in err
        asked = server.count
        status, result, err = await finished(await searching(tmp_path, "run", "--resume"))
        assert status == 0, err
        assert result["calls"]["made"] > 0
        assert asked > 0
