"""`compose trust`: let a folder's files name servers and keys."""

from __future__ import annotations

from pathlib import Path

import click

from compose.cli.options import command as declare
from compose.cli.output import emit, say, show


@declare("trust")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--list", "listed", is_flag=True, help="Show the trusted folders.")
@click.option("--remove", is_flag=True, help="Trust FOLDER no longer.")
def command(folder: Path | None, listed: bool, remove: bool, as_json: bool, quiet: bool) -> None:
    """Let a folder's files name servers and keys.

    Holds for the folder and what is below it. Until then its compose.toml,
    pipeline files and spaces may name models and settings only.

    Example:

        compose trust .
    """
    from compose.config import distrust, is_trusted, trust, trusted_folders

    if listed:
        if folder or remove:
            raise click.UsageError("--list takes neither FOLDER nor --remove")
        _list(trusted_folders(), as_json=as_json)
        return
    if folder is None:
        raise click.UsageError("FOLDER is missing")
    (distrust if remove else trust)(folder)
    trusted = is_trusted(folder)
    if as_json:
        emit("trust", {"folder": str(folder.resolve()), "trusted": trusted})
    else:
        still = "still trusted, by a folder above it" if remove else "trusted"
        say(f"{folder.resolve()} is {still if trusted else 'no longer trusted'}", quiet=quiet)


def _list(folders: list[str], *, as_json: bool) -> None:
    if as_json:
        emit("trust", {"folders": folders})
    for folder in () if as_json else folders:
        show(folder)
