"""A server with a fixed latency in a process of its own, so that its CPU is not the client's.

The latency in milliseconds is the first part of the path: `http://127.0.0.1:PORT/20/v1`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

from aiohttp import web

_REPLY = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "@. [2] > [1]. Verdict: correct"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20},
    }
)


@contextmanager
def server() -> Generator[str]:
    """Start the server; yields `http://127.0.0.1:PORT`."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


async def _serve() -> None:
    before, after = (part.encode() for part in _REPLY.split("@"))
    number = count()

    async def complete(request: web.Request) -> web.Response:
        await request.read()
        latency = int(request.match_info["ms"]) / 1000
        if latency:
            await asyncio.sleep(latency)
        body = before + b"answer %d" % next(number) + after
        return web.Response(body=body, content_type="application/json")

    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/{ms}/v1/chat/completions", complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
