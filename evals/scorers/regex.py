"""Right if the target, a regular expression, is found in the text.

The expression comes from a data file and is not trusted: Python's matcher can
take exponential time on a bad one and cannot be stopped from within. Each match
therefore runs in a worker process that is ended when its time is up.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING

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
_CODE = "import re,sys,json;p,t=json.load(sys.stdin);sys.exit(0 if re.search(p,t) else 3)"


class Regex:
    """1 if the target matches somewhere in the text, or one of a list of targets does.

    Raises `DataError` for a target that is no expression, or one that takes
    longer than `seconds`.
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
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", _CODE,
            stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self.seconds):
                await worker.communicate(json.dumps([pattern, text]).encode())
        except TimeoutError:
            raise DataError(
                f"item {id!r}: the expression {pattern!r} took longer than {self.seconds} s", field="target"
            ) from None
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        return worker.returncode == 0


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
