"""The command line under test: what a finished command left, and a benchmark to give it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from compose.types import Json

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "Done"]


class Done(msgspec.Struct, frozen=True):
    """A finished command: exit status and both outputs."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which is one JSON object and nothing else."""
        return json.loads(self.out)

    def ok(self, schema: str) -> dict[str, Any]:
        """Check that all went well and return the JSON object."""
        assert self.status == 0, self.out + self.err
        assert next(iter(self.json)) == "schema"
        assert self.json["schema"] == schema
        return self.json

    def refused(self, status: int, *words: str) -> dict[str, Any]:
        """Check that this is one clear line and one JSON error object; return the object."""
        assert self.status == status, self.out + self.err
        assert "Traceback" not in self.err
        error = self.json
        assert list(error) == ["schema", "kind", "message", "hint"]
        assert error["schema"] == "compose.error/1"
        assert "\n" not in error["message"]
        told = f"{error['message']} {error['hint']}"
        for word in words:
            assert word in told, told
        return error


def command() -> list[str]:
    """The start of a command line for a process of its own."""
    return [sys.executable, "-m", "compose"]


def environment(**more: str) -> dict[str, str]:
    """An environment for a process that runs outside the checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", **more}


def sums(folder: Path, n: int = 8) -> Path:
    """A benchmark of one's own: sums that a model at hand can be told to get right or wrong."""
    lines = [json.dumps({"id": f"q{i}", "prompt": f"What is {i} + 1?", "target": str(i + 1)}) for i in range(n)]
    path = folder / "sums.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def right_on_even(asked: Json) -> str:
    """What a loopback model answers to `sums`: right for even numbers, else 0."""
    number = int(str(asked["messages"][-1]["content"]).partition("What is ")[2].partition(" ")[0])
    return f"The answer is {number + 1 if number % 2 == 0 else 0}"
