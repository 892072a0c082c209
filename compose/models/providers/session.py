"""One aiohttp session per event loop, shared by all models that speak HTTP there."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import aiohttp


class _Shared:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.users: set[int] = set()


_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, _Shared] = WeakKeyDictionary()


def of_loop(user: object) -> aiohttp.ClientSession:
    """The running loop's session, kept open until every `user` has released it.

    No limit on connections and no total time limit: both are the caller's.
    """
    loop = asyncio.get_running_loop()
    shared = _sessions.get(loop)
    if shared is None or shared.session.closed:
        shared = _sessions[loop] = _Shared(_open())
    shared.users.add(id(user))
    return shared.session


def _open() -> aiohttp.ClientSession:
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=True,
    )


async def release(user: object) -> None:
    """Say that `user` needs the session no more."""
    shared = _sessions.get(asyncio.get_running_loop())
    if shared is None:
        return
    shared.users.discard(id(user))
    if not shared.users:
        del _sessions[asyncio.get_running_loop()]
        await shared.session.close()


@cache
def errors() -> tuple[type[Exception], ...]:
    """What a request on the session can raise that is about the connection."""
    import aiohttp

    return (aiohttp.ClientError, asyncio.TimeoutError)
