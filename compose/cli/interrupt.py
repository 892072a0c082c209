"""Ctrl-C while something runs that can be gone on with: the first stops it in order, those after it change nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from compose.cli.failure import Interrupted

T = TypeVar("T")
PATIENCE = 3
"""The Ctrl-C that ends the process at once, whatever it is waiting for; what was finished is on disk."""


def run_stoppable(work: Coroutine[Any, Any, T], hint: str) -> T:
    """`asyncio.run`, cancelled by Ctrl-C. Raises `Interrupted` with the hint once all is put away.

    From then on the process hears no Ctrl-C, since all it has left to do is to end.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        return asyncio.run(work)
    heard = 0

    async def cancellable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def hear(*_: object) -> None:
            nonlocal heard
            heard += 1
            if heard == 1 and task:
                loop.call_soon_threadsafe(task.cancel)
            elif heard >= PATIENCE:
                os._exit(130)

        signal.signal(signal.SIGINT, hear)
        return await work

    before = signal.getsignal(signal.SIGINT)
    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        before = signal.SIG_IGN
        raise Interrupted(hint) from None
    finally:
        signal.signal(signal.SIGINT, before)
