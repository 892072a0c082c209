"""The sync edge: one background event loop per process for code that is not async.

Running there, and not in a loop of the caller's thread, makes `run` work in
notebooks and inside a running event loop, and keeps connections and engines
between calls.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from compose.errors import ConfigError

T = TypeVar("T")
_LOOP_THREAD = "compose-loop"


class _Portal:
    """A daemon thread with an event loop; closed, with its callers, at exit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._inherited: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=_LOOP_THREAD, daemon=True)
                self._thread.start()
                atexit.register(self.close)
            return self._loop

    def begin_anew(self) -> None:
        """In a forked child: the loop came along, its thread did not."""
        self._inherited = self._loop  # never closed here: the parent's loop waits on the same descriptors
        self._lock = threading.Lock()
        self._loop = self._thread = None

    def close(self) -> None:
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
        self._loop = self._thread = None


_portal = _Portal()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_portal.begin_anew)


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its value; Ctrl-C cancels it.

    Raises `ConfigError` inside a step that `run` itself drives: it would wait for its own loop.
    """
    if threading.current_thread().name == _LOOP_THREAD:
        coroutine.close()
        raise ConfigError("`run()` was called inside a step", hint="await `arun()` there")
    future = asyncio.run_coroutine_threadsafe(coroutine, _portal.loop())
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise
