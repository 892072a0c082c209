"""The command `compose`: one file per command, each imported when it is called.

`compose --help` imports none of them: the table below holds their first lines,
and a test holds it against each command's own help.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from compose import __version__
from compose.cli.failure import report
from compose.errors import ConfigError, UnknownName

COMMANDS = {
    "run": "Ask one question of a pipeline file or a model.",
    "eval": "Measure a pipeline or a model on a benchmark.",
    "search": "Find the pipelines worth their cost for a benchmark.",
    "compare": "Compare systems on the same items of a benchmark.",
    "plan": "Say how many items and dollars it takes to see a gain.",
    "record": "Keep a system's outputs on a benchmark as a set for `replay/`.",
    "replay": "Rebuild a report from a run's record, without network.",
    "report": "Write the HTML page of a search.",
    "explain": "Show steps, calls and dollars of a pipeline before it runs.",
    "draw": "Draw a pipeline as Mermaid or SVG.",
    "techniques": "List the techniques, their papers, calls and settings.",
    "benchmarks": "List the benchmarks, their splits and groups.",
    "schema": "Print the JSON Schema of a pipeline file.",
    "init": "Write a commented compose.toml into a folder.",
    "models": "List, fetch and check models.",
    "cache": "Show or prune the store of finished calls.",
    "trust": "Let a folder's files name servers and keys.",
    "doctor": "Say what is wrong with this installation.",
}


class Commands(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"compose.cli.{cmd_name}").command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UnknownName("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="compose")
def cli() -> None:
    """Build systems out of language models: pipelines, search, routers, guards.

    \b
    Try:  compose search                      real models in process, no key
          compose run local/smollm2-135m "What is the capital of France?"
          compose benchmarks
    """


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit status; prints errors, never raises."""
    try:
        _refuse_bytes(argv)
        status = cli.main(list(argv) or ["--help"], prog_name="compose", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - told to the person, and the exit status says it
        return report(error, as_json="--json" in argv)
    return status if isinstance(status, int) else 0


def _refuse_bytes(argv: Sequence[str]) -> None:
    """No prompt, name or report can hold what is no text, so it is refused before anything is done."""
    for argument in argv:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise ConfigError(f"the argument {argument!r} is not UTF-8 text")


def main() -> NoReturn:
    """The entry point of the console script."""
    sys.exit(run(sys.argv[1:]))
