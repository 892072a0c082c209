"""`compose search` in processes of their own, over three models of a loopback server."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from compose.testing.server import FakeServer, Reply
from compose.types import Json

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("good", "bad", "dead")
ITEMS = 40


def answer(asked: Json) -> Reply | str:
    """`good` knows most sums, `bad` every other one, `dead` refuses; the same prompt gets the same answer."""
    number = int(re.findall(r"What is (\d+)", json.dumps(asked["messages"]))[0])
    match asked["model"]:
        case "good":
            return f"The answer is {number + 1 if number % 9 else 0}"
        case "bad":
            return f"The answer is {number + 1 if number % 2 else 0}"
        case _:
            return Reply(status=400, error="no such model")


class Killer:
    """Answers like `answer`, and calls `kill` at the request of that number."""

    def __init__(self) -> None:
        self.at = 0
        self.asked = 0
        self.kill: Callable[[], None] = lambda: None

    def __call__(self, asked: Json) -> Reply | str:
        """Answer, or be the last one to be asked."""
        self.asked += 1
        if self.asked == self.at:
            self.kill()
        return answer(asked)


def write_inputs(folder: Path, server: FakeServer) -> None:
    """A benchmark of sums, and prices for the models."""
    rows = [{"id": f"q{i}", "prompt": f"What is {i} + 1?", "target": str(i + 1)} for i in range(ITEMS)]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    prices = {"good": 10.0, "bad": 1.0, "dead": 1.0}
    tables = [
        f'[models.{name}]\nid = "{server.id(name)}"\nprice = {{ input = {usd}, output = {usd} }}\n'
        for name, usd in prices.items()
    ]
    (folder / "c.toml").write_text("\n".join(tables))


def searching(
    folder: Path, out: str, *more: str, first: Callable[[], None] | None = None
) -> Awaitable[asyncio.subprocess.Process]:
    """`compose search` in a process of its own, with a cache of its own beside its folder; it calls `first` first."""
    models = [part for name in MODELS for part in ("--model", name)]
    line = ["search", "--benchmark", "sums.jsonl", "--scorer", "number", *models, "--config", "c.toml"]
    env = {"PYTHONPATH": str(ROOT), "COMPOSE_CACHE": str(folder / f"{out}.cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    return asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "compose", *line, "--trials", "14", "--out", out, "--json", *more],
        cwd=folder,
        env=env,
        preexec_fn=first,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
