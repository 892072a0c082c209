"""The options that commands share, each declared once."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Function = Callable[..., Any]

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


class Finite(click.FloatRange):
    """A float of a range; `nan` and `inf` are refused."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert and check."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class Whole(click.IntRange):
    """A whole number of a range."""

    name = "whole number"


SHARED: dict[str, Callable[[Function], Function]] = {
    "benchmark": click.option(
        "--benchmark", "-b", metavar="NAME", help="A benchmark's name, or a .jsonl or .csv file."
    ),
    "scorer": click.option("--scorer", metavar="NAME", help="Scorer of a .jsonl or .csv file that names none."),
    "data": click.option(
        "--data",
        type=_FOLDER,
        envvar="COMPOSE_DATA",
        help="Folder that holds <benchmark>/ and the sets for replay/. [env: COMPOSE_DATA]",
    ),
    "limit": click.option("--limit", type=Whole(min=1), metavar="N", help="Use at most N items."),
    "split": click.option(
        "--split", type=click.Choice(["dev", "test", "all"]), default="test", show_default=True, help="Which items."
    ),
    "model": click.option("--model", "-m", "models", multiple=True, metavar="ID", help="A model to use (repeatable)."),
    "exclude": click.option(
        "--exclude-model", "exclude", multiple=True, metavar="ID", help="A model to leave out (repeatable)."
    ),
    "budget": click.option("--budget", type=Finite(min=0), metavar="USD", help="Spend no more than this."),
    "resume": click.option("--resume", is_flag=True, help="Go on where the run in --out stopped."),
    "dry_run": click.option("--dry-run", is_flag=True, help="Show what would be done and its cost; call nothing."),
    "out": click.option("--out", type=_FOLDER, metavar="DIR", help="Folder for what is written."),
    "cache": click.option(
        "--cache",
        type=click.Choice(["on", "read", "off"]),
        default=None,
        help="Keep finished calls, only read them, or neither. [default: on]",
    ),
    "config": click.option("--config", type=_FILE, help="A compose.toml to use; passing it trusts it."),
}

EVERYWHERE = (
    click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, nothing else."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random."),
    click.option("--quiet", "-q", is_flag=True, help="No progress and no remarks on stderr."),
)


def command(name: str, *shared: str) -> Callable[[Function], click.Command]:
    """A command with shared options by name, `--json`, `--seed` and `--quiet` beside its own.

    A docstring's `Example:` block becomes the end of its `--help`. Parameters a
    function does not name among `as_json seed quiet` are not passed to it.
    """

    def make(function: Function) -> click.Command:
        return click.command(name, help=_help_of(function))(with_options(function, *shared))

    return make


def with_options(function: Function, *shared: str) -> Function:
    """Add shared options by name, and the three that every command has."""
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]

    @functools.wraps(function)
    def call(**given: Any) -> Any:
        passed = {k: v for k, v in given.items() if k in wanted or k not in ("as_json", "seed", "quiet")}
        return function(**passed)

    decorated: Function = call
    for option in reversed((*(SHARED[s] for s in shared), *EVERYWHERE)):
        decorated = option(decorated)
    return decorated


def _help_of(function: Function) -> str:
    before, mark, example = inspect.cleandoc(function.__doc__ or "").partition("Example:\n\n")
    return before + (f"Example:\n\n\b\n{example}" if mark else "")
