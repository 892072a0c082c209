"""`compose run`: one question through a pipeline file or a model."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compose.cli import subject
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, progress, say, show
from compose.errors import ConfigError

if TYPE_CHECKING:
    from compose.models.call import Caller
    from compose.pipeline.graph import Pipeline
    from compose.pipeline.result import Result


@declare("run", "data", "budget", "cache", "config")
@click.argument("p", metavar="P")
@click.argument("prompt", required=False)
@click.option("--trace", is_flag=True, help="Show every step: calls, dollars, seconds.")
@click.option("--stream", is_flag=True, help="Write the answer as it comes; with --json, JSON lines.")
def command(
    p: str,
    prompt: str | None,
    trace: bool,
    stream: bool,
    data: Path | None,
    budget: float | None,
    cache: subject.CacheMode | None,
    config: Path | None,
    as_json: bool,
    seed: int,
    quiet: bool,
) -> None:
    """Ask one question of a pipeline file or a model.

    Without PROMPT the question is read from standard input.

    Example:

        compose run local/smollm2-135m "What is the capital of France?"
    """
    pipeline = subject.read(p)
    question = prompt if prompt is not None else _from_stdin()

    async def ask() -> None:
        opened = subject.open_caller([pipeline], config=config, data=data, cache=cache, budget=budget)
        async with opened as caller:
            if stream:
                result = await _stream(pipeline, question, caller, seed, as_json=as_json)
            else:
                with progress("thinking", quiet=quiet):
                    result = await pipeline.arun(question, caller=caller, seed=seed)
        if as_json:
            emit("run", summary(result), line=stream)
        else:
            show("" if stream else result.text)
            _account(result, trace=trace, quiet=quiet)

    asyncio.run(ask())


def _from_stdin() -> str:
    if sys.stdin.isatty():
        say("type the question, end with Ctrl-D")
    try:
        text = sys.stdin.read().strip()
    except UnicodeDecodeError as error:
        raise ConfigError("standard input is not UTF-8 text") from error
    if not text:
        raise ConfigError("no question: PROMPT is missing and standard input is empty", hint='compose run P "…"')
    return text


def _account(result: Result, *, trace: bool, quiet: bool) -> None:
    for event in result.trace if trace else ():
        notes = f"  ({'; '.join(event.notes)})" if event.notes else ""
        say(f"{event.node}: {event.calls} calls, {dollars(event.usd)}, {event.seconds:.2f} s{notes}")
    say(
        f"{result.calls} calls ({result.cached} cached), {dollars(result.usd)} list price, "
        f"{dollars(result.usd_spent)} spent, {result.seconds:.2f} s",
        quiet=quiet,
    )


def summary(result: Result) -> dict[str, Any]:
    """The object of `compose run --json`."""
    return {
        "text": result.text,
        "answer": result.answer,
        "usd": result.usd,
        "usd_spent": result.usd_spent,
        "calls": result.calls,
        "cached": result.cached,
        "seconds": result.seconds,
        "candidates": result.candidates,
        "trace": result.trace,
        "verdict": None,
    }


async def _stream(pipeline: Pipeline, question: str, caller: Caller, seed: int, *, as_json: bool) -> Result:
    """Write the answer as it comes, all of it at once where the last step does not stream."""
    from compose.models.model import Delta
    from compose.pipeline.result import answer

    streamed = False

    def write(piece: Delta) -> None:
        nonlocal streamed
        streamed = True
        if as_json:
            emit("run.delta", {"text": piece.text}, line=True)
        else:
            show(piece.text, end="")

    result = await answer(pipeline, question, caller=caller, seed=seed, on_delta=write)
    if result.text and not streamed:
        write(Delta(result.text))
    return result
