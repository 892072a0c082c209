"""A run that is killed and started again pays for nothing twice but the calls that were in flight."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from compose.testing.server import FakeServer

pytestmark = pytest.mark.server

RUN = """
import asyncio, sys
from pathlib import Path
from compose.config import Config
from compose.models.cache import Cache
from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.types import Message, Request

async def main(model, path, count):
    ledger = Ledger()
    async with Caller(Config(), cache=Cache(Path(path)), concurrency=4) as caller:
        async def one(i):
            await caller.call(Request(model, (Message("user", f"q{i}"),)), ledger)
            sys.stdout.write(".")
            sys.stdout.flush()
        await asyncio.gather(*(one(i) for i in range(count)))
    sys.stdout.write(f"{ledger.calls} {ledger.cached}")

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""
COUNT = 200


async def start(server: FakeServer, path: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        server.id(),
        str(path),
        str(COUNT),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


async def test_kill_9_loses_at_most_the_calls_in_flight(tmp_path: Path) -> None:
    async with FakeServer(latency=0.002) as server:
        killed = await start(server, tmp_path / "calls.sqlite")
        assert killed.stdout is not None
        await killed.stdout.readexactly(50)
        killed.send_signal(signal.SIGKILL)
        seen = 50 + len(await killed.stdout.read())
        assert await killed.wait() == -signal.SIGKILL
        again = await start(server, tmp_path / "calls.sqlite")
        out, _ = await again.communicate()
        assert again.returncode == 0
    calls, cached = map(int, out.decode().strip(".").split())
    assert calls == COUNT
    assert cached >= seen
    assert server.count <= COUNT + 4  # four were in flight when it died
