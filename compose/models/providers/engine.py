"""One llama.cpp engine per model file and process, with slots that run side by side."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from compose.errors import ConfigError, missing_extra
from compose.models.providers import chat
from compose.models.providers.status import by_status


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


SLOTS = max(1, _cores() // 2)
"""Requests in the engine at once; more wait for a slot.

Batching pays where cores are left over. On two cores 36 samples of 12 prompts took
17 s with one slot, 21 with two and 24 with four: one slot computes as fast, and
reads a prompt once for all of its samples.
"""
SLOT_CONTEXT = 2048
"""Tokens of prompt and answer that one slot holds."""

Take = Callable[[chat.Completion], object]


class Engine:
    """A model file in memory. Loaded by the first call, in a thread; safe for several loops and threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.users = 0
        self._pool = ThreadPoolExecutor(SLOTS, thread_name_prefix="llama")
        self._lock = threading.Lock()
        self._server: Any = None

    async def run(self, body: str, take: Take, model: str) -> None:
        """Run one request; `take` gets each chunk, in a thread of the engine.

        Cancelling makes the engine stop at its next token. Raises
        `ContextOverflow`, `ModelError`, and what `take` raises.
        """
        stop = threading.Event()
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._run, body, take, model, stop)
        finally:
            stop.set()

    def _run(self, body: str, take: Take, model: str, stop: threading.Event) -> None:
        failed: list[Exception] = []

        def got(chunk: str) -> bool:
            if stop.is_set():
                return True
            try:
                take(chat.decode(chunk, model))
            except Exception as error:  # noqa: BLE001 - it must not unwind through the engine; raised below
                failed.append(error)
                return True
            return False

        try:
            self._loaded(model).handle_chat_completions(body, got)
        except ValueError as error:
            raise by_status(400, str(error), model) from error
        if failed:
            raise failed[0]

    def _loaded(self, model: str) -> Any:
        with self._lock:
            if self._server is None:
                self._server = _load(self.path, model)
            return self._server

    async def close(self) -> None:
        """Wait for the calls under way, then free the memory."""
        try:
            await asyncio.to_thread(self._close)
        except RuntimeError:  # the interpreter is ending and starts no thread any more
            self._close()

    def _close(self) -> None:
        self._pool.shutdown(wait=True)
        with self._lock:
            self._server = None


def _load(path: Path, model: str) -> Any:
    # GNU OpenMP's threads spin while they wait for each other. Where something else wants a core they
    # then hold up themselves: eight short answers took over 40 s on two cores with one taken, 4.5 s with
    # threads that sleep, and with none taken 2.4 and 3.1 s. Read when the library is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    try:
        import xllamacpp  # pyright: ignore[reportMissingTypeStubs] - the package has none
    except ImportError as error:
        raise missing_extra("xllamacpp", "local", f"model {model}") from error
    module: Any = xllamacpp
    params = module.CommonParams()
    params.model.path = str(path)
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_CONTEXT
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
    params.verbosity = -1
    params.warmup = False
    params.endpoint_slots = False
    params.api_keys = [secrets.token_hex()]  # the engine also listens on loopback; nobody else gets in
    try:
        return module.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"{path} cannot be loaded as a model: {error}", hint="is it a whole GGUF file?") from error


_engines: dict[Path, Engine] = {}
_guard = threading.Lock()


def loaded() -> list[Path]:
    """The files that have an engine."""
    with _guard:
        return list(_engines)


def acquire(path: Path) -> Engine:
    """The engine of a model file, made where there is none yet."""
    with _guard:
        engine = _engines.get(path) or _engines.setdefault(path, Engine(path))
        engine.users += 1
        return engine


async def release(engine: Engine) -> None:
    """Give an engine back; the last user's release frees it."""
    with _guard:
        engine.users -= 1
        last = engine.users == 0
        if last:
            del _engines[engine.path]
    if last:
        await engine.close()
