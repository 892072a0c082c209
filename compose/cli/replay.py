"""`compose replay`: a search's result again, from its record alone."""

from __future__ import annotations

from pathlib import Path

import click

from compose.cli.options import command as declare
from compose.cli.output import emit, say, show
from compose.whole import write_whole


@declare("replay", "out")
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Rebuild a report from a run's record, without network.

    FILE is a run.record.jsonl.gz. With --out the page and winner.yaml are
    written there; what is shown was computed anew from the record.

    Example:

        compose replay runs/gsm/run.record.jsonl.gz --out again
    """
    from compose.pipeline.files import to_yaml
    from compose.pipeline.graph import Pipeline
    from compose.search.record import read_record
    from compose.search.report import render_report, sentences
    from compose.search.result import conclude

    result = conclude(read_record(file))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        page = out / "report.html"
        write_whole(page, render_report(result))
        result.report = str(page)
        if result.winner:
            write_whole(out / "winner.yaml", to_yaml(Pipeline.from_data(result.winner.pipeline)))
        say(f"wrote {page}", quiet=quiet)
    if as_json:
        emit("replay", {k: v for k, v in result.to_json().items() if k != "schema"})
        return
    for sentence in sentences(result):
        show(sentence)
