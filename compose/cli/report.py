"""`compose report`: the HTML page of a search."""

from __future__ import annotations

from pathlib import Path

import click

from compose.cli.options import command as declare
from compose.cli.output import emit, say
from compose.whole import write_whole


@declare("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="File to write. [default: RUN/report.html]")
@click.option("--open", "show_it", is_flag=True, help="Open it in a browser.")
def command(run: Path, to: Path | None, show_it: bool, as_json: bool, quiet: bool) -> None:
    """Write the HTML page of a search.

    RUN is a search's --out folder or its run.record.jsonl.gz. Needs no network.

    Example:

        compose report runs/gsm --open
    """
    from compose.search.report import render_report

    path = to or (run if run.is_dir() else run.parent) / "report.html"
    page = render_report(run)
    if to:
        to.write_text(page, encoding="utf-8")
    else:
        write_whole(path, page)
    if as_json:
        emit("report", {"report": str(path)})
    else:
        say(f"wrote {path}", quiet=quiet)
    if show_it:
        click.launch(str(path))
