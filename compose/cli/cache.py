"""`compose cache`: what is stored of finished calls, and how to be rid of it."""

from __future__ import annotations

import click
import msgspec

from compose.cli.options import Finite
from compose.cli.options import command as declare
from compose.cli.output import emit, say, show, table
from compose.errors import ConfigError


@click.group("cache")
def command() -> None:
    """Show or prune the store of finished calls.

    It holds prompts and answers; the file is private to you. COMPOSE_CACHE
    moves it, `cache = "off"` in compose.toml does without it.
    """


@declare("info")
def info(as_json: bool) -> None:
    """Show where the store is and what it holds.

    Example:

        compose cache info
    """
    from compose.models.cache import Cache

    stats = Cache().stats()
    if as_json:
        emit("cache", msgspec.to_builtins(stats))
        return
    age = "" if stats.oldest_days is None else f", the oldest {stats.oldest_days:.1f} days old"
    show(f"{stats.path}: {stats.answers} answers, {stats.bytes / 1e6:.1f} MB{age}")
    if stats.models:
        table(["model", "answers"], list(stats.models.items()))


@declare("prune")
@click.option("--older-than", type=Finite(min=0), metavar="DAYS", help="What is older than this.")
@click.option("--model", metavar="ID", help="What this model answered.")
@click.option("--key", metavar="HEX", help="The call whose key begins with this.")
@click.option("--all", "everything", is_flag=True, help="All of it.")
def prune(
    older_than: float | None, model: str | None, key: str | None, everything: bool, as_json: bool, quiet: bool
) -> None:
    """Delete stored calls that match every condition given.

    Example:

        compose cache prune --older-than 90
    """
    from compose.models.cache import Cache

    if older_than is None and model is None and key is None and not everything:
        raise ConfigError("what is to go?", hint="--older-than DAYS, --model ID, --key HEX or --all")
    gone = Cache().prune(older_than=0 if everything else older_than, model=model, key=key)
    if as_json:
        emit("cache", {"pruned": gone})
    else:
        say(f"{gone} answers deleted", quiet=quiet)


command.add_command(info)
command.add_command(prune)
