"""`compose explain`: steps, calls and dollars of a pipeline before it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from compose.cli import subject
from compose.cli.options import command as declare
from compose.cli.output import emit, show


@declare("explain", "data", "config")
@click.argument("p", metavar="P")
@click.argument("prompt", required=False)
def command(p: str, prompt: str | None, data: Path | None, config: Path | None, as_json: bool) -> None:
    """Show steps, calls and dollars of a pipeline before it runs.

    Without PROMPT a question of 100 tokens is assumed. Nothing is called.

    Example:

        compose explain local/smollm2-135m "What is the capital of France?"
    """
    pipeline = subject.read(p)

    async def work() -> None:
        async with subject.open_caller([pipeline], config=config, data=data) as caller:
            explanation = pipeline.explain(prompt, caller=caller)
        if as_json:
            emit("explain", msgspec.to_builtins(explanation))
        else:
            show(str(explanation))

    asyncio.run(work())
