"""`compose trust`: let a folder's files name servers and keys."""

from __future__ import annotations

from pathlib import Path

import click

from compose.cli.options import command as declare
from compose.cli.output import emit, say


@declare("trust")
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path, as_json: bool, quiet: bool) -> None:
    """Let a folder's files name servers and keys.

    Holds for the folder and what is below it. Until then its compose.toml may
    name models and settings only.

    Example:

        compose trust .
    """
    from compose.config import trust

    trust(folder)
    if as_json:
        emit("trust", {"folder": str(folder.resolve()), "trusted": True})
    else:
        say(f"{folder.resolve()} is trusted", quiet=quiet)
