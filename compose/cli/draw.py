"""`compose draw`: a pipeline as Mermaid text or as an SVG picture."""

from __future__ import annotations

import click

from compose.cli import subject
from compose.cli.options import command as declare
from compose.cli.output import emit, show


@declare("draw")
@click.argument("p", metavar="P")
@click.option("--svg", "as_svg", is_flag=True, help="An SVG picture instead of Mermaid text.")
def command(p: str, as_svg: bool, as_json: bool) -> None:
    """Draw a pipeline as Mermaid or SVG.

    Example:

        compose draw local/smollm2-135m --svg > pipeline.svg
    """
    from compose.cli.svg import svg

    pipeline = subject.read(p).check()
    text = svg(pipeline) if as_svg else pipeline.draw()
    if as_json:
        emit("draw", {"format": "svg" if as_svg else "mermaid", "text": text})
    else:
        show(text.rstrip())
