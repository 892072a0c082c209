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
                await _stream(pipeline, question, caller, seed, as_json=as_json, quiet=quiet)
                return
            with progress("thinking", quiet=quiet):
                result = await pipeline.arun(question, caller=caller, seed=seed)
            _show(result, as_json=as_json, trace=trace, quiet=quiet)

    asyncio.run(ask())


def _from_stdin() -> str:
    if sys.stdin.isatty():
        say("type the question, end with Ctrl-D")
    text = sys.stdin.read().strip()
    if not text:
        raise ConfigError("no question: PROMPT is missing and standard input is empty", hint='compose run P "…"')
    return text


def _show(result: Result, *, as_json: bool, trace: bool, quiet: bool) -> None:
    if as_json:
        emit("run", summary(result))
        return
    show(result.text)
    if trace:
        for event in result.trace:
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


async def _stream(pipeline: Pipeline, question: str, caller: Caller, seed: int, *, as_json: bool, quiet: bool) -> None:
    from compose.models.ledger import Ledger

    ledger = Ledger()
    text, seconds = "", 0.0
    async for delta in pipeline.astream(question, caller=caller, ledger=ledger, seed=seed):
        text += delta.text
        if as_json and delta.text:
            emit("run.delta", {"text": delta.text}, line=True)
        elif delta.text:
            click.echo(delta.text, nl=False)
        seconds = delta.response.seconds if delta.response else seconds
    counts = {"calls": ledger.calls, "cached": ledger.cached, "usd": ledger.usd, "usd_spent": ledger.usd_spent}
    if as_json:
        end: dict[str, Any] = {"answer": None, "seconds": seconds, "candidates": [], "trace": [], "verdict": None}
        emit("run", {"text": text, **counts, **end}, line=True)
        return
    show("")
    say(f"{ledger.calls} calls ({ledger.cached} cached), {dollars(ledger.usd)}, {seconds:.2f} s", quiet=quiet)
