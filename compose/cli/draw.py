"""`compose draw`: a pipeline as Mermaid text."""

from __future__ import annotations

import click

from compose.cli import subject
from compose.cli.options import command as declare
from compose.cli.output import emit, show


@declare("draw")
@click.argument("p", metavar="P")
def command(p: str, as_json: bool) -> None:
    """Draw a pipeline as Mermaid text.

    Example:

        compose draw local/smollm2-135m
    """
    text = subject.read(p).check().draw()
    if as_json:
        emit("draw", {"format": "mermaid", "text": text})
    else:
        show(text.rstrip())
