"""The cache: found by what was asked, private, durable, shared, and plain when it fails."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from compose.errors import CacheError, ConfigError
from compose.models.cache import Cache, key_of
from compose.types import Message, Params, Request, Response, Usage

ASK = Request("m", (Message("user", "hi"),), Params(temperature=0.7))
FULL = Response(
    "text",
    "m",
    Usage(1, 2, 3, 4, 5),
    usd=0.25,
    seconds=1.5,
    finish_reason="stop",
    tool_calls=[{"id": "1", "function": {"name": "f", "arguments": "{}"}}],
    logprobs=[{"token": "a", "logprob": -0.5}],
    reasoning="because",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "calls.sqlite"


def asks(count: int, model: str = "m") -> list[Request]:
    return [Request(model, (Message("user", f"question {i}"),)) for i in range(count)]


def test_an_answer_comes_back_whole_and_marked_cached(path: Path) -> None:
    cache = Cache(path)
    assert cache.get(ASK) is None
    cache.put(ASK, FULL)
    assert cache.get(ASK) == msgspec.structs.replace(FULL, cached=True)
    cache.close()
    assert Cache(path).get(ASK) == msgspec.structs.replace(FULL, cached=True)


@pytest.mark.parametrize(
    "other",
    [
        msgspec.structs.replace(ASK, sample=1),
        msgspec.structs.replace(ASK, model="m2"),
        msgspec.structs.replace(ASK, params=Params(temperature=0.8)),
        msgspec.structs.replace(ASK, params=Params(temperature=0.7, seed=1)),
        msgspec.structs.replace(ASK, messages=(Message("system", "hi"),)),
        msgspec.structs.replace(ASK, messages=(Message("user", "hi", name="bo"),)),
        msgspec.structs.replace(ASK, messages=(Message("user", "hi"), Message("user", ""))),
    ],
)
def test_whatever_is_asked_differently_is_another_answer(path: Path, other: Request) -> None:
    cache = Cache(path)
    cache.put(ASK, FULL)
    assert cache.get(other) is None


def test_the_key_is_stable_across_releases_and_tells_identities_apart() -> None:
    assert key_of(ASK).hex() == KEY
    assert key_of(ASK, "sha256:1") != key_of(ASK, "sha256:2")


KEY = "41f61680976123cd13847a8be810e827683f9b9a"


def test_a_cache_that_is_only_read_writes_nothing(path: Path) -> None:
    Cache(path).put(ASK, FULL)
    cache = Cache(path, mode="read")
    assert cache.get(ASK) is not None
    cache.put(asks(1)[0], FULL)
    assert cache.get(asks(1)[0]) is None


async def test_a_cache_that_is_off_touches_no_disk(path: Path) -> None:
    cache = Cache(path, mode="off")
    cache.put(ASK, FULL)
    await cache.store(key_of(ASK), FULL)
    assert cache.get(ASK) is None
    assert not path.parent.exists()


def test_answers_past_their_time_to_live_are_not_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(path, ttl_days=1.0)
    cache.put(ASK, FULL)
    assert cache.get(ASK) is not None
    later = time.time() + 2 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    assert cache.get(ASK) is None
    assert Cache(path).get(ASK) is not None
    assert cache.prune() == 1
    assert Cache(path).get(ASK) is None


def test_prune_by_age_model_and_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(path)
    for model in ("a", "b"):
        for ask in asks(3, model):
            cache.put(ask, Response("t", model))
    assert cache.prune() == 0
    assert cache.prune(older_than=1.0) == 0
    assert cache.prune(key=key_of(asks(3, "a")[0]).hex()[:12]) == 1
    assert cache.prune(model="b", key=key_of(asks(3, "a")[1])) == 0
    assert cache.prune(model="b") == 3
    assert cache.stats().models == {"a": 2}
    later = time.time() + 2 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    assert cache.prune(older_than=1.0) == 2
    with pytest.raises(ConfigError, match="no cache key"):
        cache.prune(key="*")


def test_pruning_gives_the_space_back(path: Path) -> None:
    cache = Cache(path)
    for ask in asks(200):
        cache.put(ask, Response("x" * 5000, "m"))
    before = cache.stats().bytes
    assert before > 1_000_000
    cache.prune(model="m")
    assert cache.stats().bytes < before / 10


def test_stats_of_a_cache_that_is_not_there_make_none(path: Path) -> None:
    stats = Cache(path).stats()
    assert (stats.answers, stats.bytes, stats.oldest_days) == (0, 0, None)
    assert not path.exists()


def test_file_and_companions_are_private(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch(0o644)
    cache = Cache(path)
    cache.put(ASK, FULL)
    files = [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"] * 3


def test_a_password_in_a_models_address_is_not_kept(path: Path) -> None:
    cache = Cache(path)
    model = "http://me:hunter2secret@host/v1?key=hunter2secret#m"
    cache.put(msgspec.structs.replace(ASK, model=model), Response("t", "m"))
    cache.put(ASK, Response("t", model))
    assert set(cache.stats().models) == {"m", "http://host/v1#m"}


@pytest.mark.parametrize("content", [b"this is no database, but long enough to look at" * 200])
def test_a_broken_file_gives_one_line_with_what_to_do(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    acts: list[Callable[[Cache], object]] = [lambda c: c.get(ASK), lambda c: c.put(ASK, FULL), Cache.stats]
    for act in acts:
        with pytest.raises(CacheError, match="not a readable database") as caught:
            act(Cache(path))
        assert caught.value.hint == f"move the file away: {path}"
        assert caught.value.exit_status == 2
    assert path.read_bytes() == content


def test_an_unreadable_answer_gives_one_line(path: Path) -> None:
    cache = Cache(path)
    cache.put(ASK, FULL)
    cache.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET answer = x'00'")
    connection.close()
    with pytest.raises(CacheError, match="cannot be read"):
        Cache(path).get(ASK)


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    Cache(path).put(ASK, FULL)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CacheError, match="newer version"):
        Cache(path).get(ASK)


def test_a_folder_that_cannot_be_made_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheError, match="cannot be opened"):
        Cache(tmp_path / "file" / "calls.sqlite").put(ASK, FULL)


def fill(cache: Cache) -> None:
    """Let the database grow by a few pages only, as on a disk that is nearly full."""
    cache.put(ASK, FULL)
    database = cache._database  # pyright: ignore[reportPrivateUsage]  # the only door to a real SQLITE_FULL
    (pages,) = database.once(lambda c: c.execute("PRAGMA page_count").fetchone())
    database.once(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}"))


async def test_a_full_disk_gives_one_line_and_keeps_what_was_finished(path: Path) -> None:
    cache = Cache(path)
    fill(cache)
    big = Response("x" * 100_000, "m")
    with pytest.raises(CacheError, match="disk is full") as caught:
        cache.put(asks(1)[0], big)
    assert caught.value.exit_status == 2
    results = await asyncio.gather(*(cache.store(key_of(a), big) for a in asks(3)), return_exceptions=True)
    assert [type(r) for r in results] == [CacheError] * 3
    assert cache.get(ASK) is not None
    cache.put(msgspec.structs.replace(ASK, sample=9), FULL)


def test_a_lock_that_stays_gives_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.models.cache.database.BUSY_SECONDS", 0.1)
    cache = Cache(path)
    cache.put(ASK, FULL)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CacheError, match="keeps it locked"):
        cache.put(asks(1)[0], FULL)
    assert cache.get(ASK) is not None
    other.close()


async def test_waiting_for_another_process_does_not_hold_the_loop(path: Path) -> None:
    cache = Cache(path)
    cache.put(ASK, FULL)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.gather(*(cache.store(key_of(a), FULL) for a in asks(3)))
    ticks = 0
    while ticks < 20:
        await asyncio.sleep(0.005)
        ticks += 1
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    await waiting
    assert all(cache.get(a) is not None for a in asks(3))


async def test_answers_of_one_tick_share_a_commit(path: Path) -> None:
    cache = Cache(path)
    statements: list[str] = []
    database = cache._database  # pyright: ignore[reportPrivateUsage]  # to hear what SQLite is told
    database.once(lambda c: c.set_trace_callback(statements.append))
    await asyncio.gather(*(cache.store(key_of(a), FULL) for a in asks(64)))
    assert statements.count("COMMIT") == 1
    assert cache.stats().answers == 64


async def test_an_answer_waits_for_those_under_way_and_no_longer(path: Path) -> None:
    cache = Cache(path)
    first, second = (key_of(a) for a in asks(2))
    waiting = asyncio.create_task(cache.store(first, FULL, under_way=2))
    await asyncio.sleep(0)
    assert cache.find(first) is None
    await cache.store(second, FULL, under_way=2)
    assert cache.find(first) is not None
    await waiting
    third = key_of(ASK)
    await cache.store(third, FULL, under_way=5)
    assert cache.find(third) is not None


def test_a_loop_that_ends_in_the_meantime_loses_nothing(path: Path) -> None:
    cache = Cache(path)

    async def main() -> None:
        task = asyncio.create_task(cache.store(key_of(ASK), FULL, under_way=2))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(main())
    assert cache.get(ASK) is not None


async def test_an_answer_whose_waiter_was_cancelled_is_still_kept(path: Path) -> None:
    cache = Cache(path)
    first, second = (asyncio.create_task(cache.store(key_of(a), FULL)) for a in asks(2))
    asyncio.get_running_loop().call_soon(first.cancel)
    await second
    assert all(cache.get(a) is not None for a in asks(2))


WRITER = """
import asyncio, sys
from pathlib import Path
from compose.models.cache import Cache, key_of
from compose.types import Message, Request, Response
cache = Cache(Path(sys.argv[1]))
async def one(name, i):
    await cache.store(key_of(Request("m", (Message("user", f"{name} {i}"),))), Response("x" * 500, "m"))
    sys.stdout.write(f"{name} {i}\\n")
    sys.stdout.flush()
async def main(name, count):
    for start in range(0, count, 8):
        await asyncio.gather(*(one(name, i) for i in range(start, start + 8)))
asyncio.run(main(sys.argv[2], int(sys.argv[3])))
"""


def start_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def found(cache: Cache, line: str) -> bool:
    return cache.get(Request("m", (Message("user", line.strip()),))) is not None


def test_what_was_stored_survives_kill_9(path: Path) -> None:
    writer = start_writer(path, "w", 1_000_000)
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.readlines()
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    whole = [line for line in lines if line.endswith("\n")]
    assert len(whole) >= 200
    cache = Cache(path)
    assert all(found(cache, line) for line in whole)
    cache.put(ASK, FULL)


def test_several_processes_write_at_once(path: Path) -> None:
    writers = [start_writer(path, name, 400) for name in ("a", "b", "c")]
    for writer in writers:
        assert writer.stdout is not None
        assert len(writer.stdout.readlines()) == 400
        writer.stdout.close()
        assert writer.wait() == 0
    assert Cache(path).stats().answers == 1200


def test_half_a_character_has_no_key() -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        key_of(Request("m", (Message("user", "\ud800"),)))
