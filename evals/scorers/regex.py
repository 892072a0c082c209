"""Right if the target, a regular expression, is found in the text.

The expression comes from a data file and is not trusted: Python's matcher can
take exponential time on a bad one and cannot be stopped from within. Each match
therefore runs in a worker process that is ended when its time is up.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from compose.errors import DataError
from compose.evals.scorers.exact import targets

if TYPE_CHECKING:
    from compose.evals.benchmark import Item
    from compose.evals.scorers import Scored
    from compose.pipeline.answer import Kind
    from compose.pipeline.node import Context

_LONGEST_PATTERN = 2_000
_LONGEST_TEXT = 1_000_000
_RISKY = re.compile(r"\)[*+{?]|\\[1-9]|\(\?P=|\(\?[=!<(]")
"""Repeated groups, back references, look-around: what can take exponential time."""
_CHOICES = re.compile(r"[*+}|]|(?<!\()\?")
_CODE = """
import json, re, sys
pattern, text = json.load(sys.stdin)
print(flush=True)
sys.exit(0 if re.search(pattern, text) else 3)
"""
"""Writes a byte once it has read its input; ends with 0 where the pattern is found, with 3 where it is not."""
_FOUND, _NOT_FOUND = 0, 3

_slots: WeakValueDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakValueDictionary()
"""One worker a core, for each event loop. Values are held weakly, since a semaphore that was waited for holds its loop."""


class Regex:
    """1 if the target matches somewhere in the text, or one of a list of targets does.

    Raises `DataError` for a target that is no expression, one that takes longer
    than `seconds` on a text, or one whose worker process fails.
    """

    kind: Kind = "text"

    def __init__(self, *, seconds: float = 2.0) -> None:
        self.seconds = seconds

    async def score(self, item: Item, result: Scored, ctx: Context) -> float:
        """A mark of 0 or 1."""
        text = result.text[:_LONGEST_TEXT]
        for pattern in targets(item):
            compiled = _compiled(pattern, item.id)
            found = (
                _searched(compiled, text) if is_plain(pattern, text) else await self._bounded(pattern, text, item.id)
            )
            if found:
                return 1.0
        return 0.0

    async def _bounded(self, pattern: str, text: str, id: str) -> bool:
        async with _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(os.cpu_count() or 1)):
            try:
                status = await _matched(pattern, text, self.seconds)
            except TimeoutError:
                raise DataError(
                    f"item {id!r}: the expression {pattern!r} took longer than {self.seconds} s", field="target"
                ) from None
        if status not in (_FOUND, _NOT_FOUND):
            raise DataError(f"item {id!r}: the process that matched {pattern!r} ended with status {status}")
        return status == _FOUND


async def _matched(pattern: str, text: str, seconds: float) -> int:
    """The exit status of a worker; raises `TimeoutError` for one that matches for longer than `seconds`."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _CODE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert worker.stdin and worker.stdout  # for the type checker: both are pipes
    try:
        worker.stdin.write(json.dumps([pattern, text]).encode())
        worker.stdin.close()
        await worker.stdout.read(1)
        async with asyncio.timeout(seconds):
            return await worker.wait()
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()


def is_plain(pattern: str, text: str) -> bool:
    """Whether a pattern cannot take long on a text: no repeated groups, and few choices for the text's length."""
    choices = len(_CHOICES.findall(pattern))
    return not choices or (not _RISKY.search(pattern) and (len(text) + 2) ** (choices + 1) <= 10**8)


def _compiled(pattern: str, id: str) -> re.Pattern[str]:
    if len(pattern) > _LONGEST_PATTERN:
        raise DataError(f"item {id!r}: an expression of {len(pattern)} characters", field="target")
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise DataError(f"item {id!r}: {pattern!r} is no regular expression: {error}", field="target") from error


def _searched(compiled: re.Pattern[str], text: str) -> bool:
    return compiled.search(text) is not None
