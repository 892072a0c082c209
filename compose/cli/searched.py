"""What `compose search` shows a person: how far it is, what it would do, what it found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from compose.cli.output import dollars, percent, say, show, table

if TYPE_CHECKING:
    from compose.cli.output import Progress as Bar
    from compose.search.entry import Entry
    from compose.search.progress import Progress
    from compose.search.result import SearchResult


def advance(bar: Bar, at: Progress) -> None:
    """Move the bar."""
    part = at.item / at.items if at.items else 0.0
    stage = "choosing on dev" if at.stage == "dev" else "measuring on test"
    best = f", best {at.best}" if at.best else ""
    bar(round(at.done + part, 2), at.total, f"{stage}{best}")


def show_plan(result: SearchResult) -> None:
    """Two lines: how much there is to try, and what asking every model once would take."""
    estimate = result.estimate or {}
    show(
        f"{result.benchmark}: {result.dev_n} dev and {result.test_n} test items, "
        f"up to {result.trials} of {result.space_size:,} pipelines over {len(result.prices)} models"
    )
    show(
        f"asking every model once on dev takes {estimate.get('calls', 0)} calls, about "
        f"{dollars(estimate.get('usd_expected'))}, at most {dollars(estimate.get('usd_high'))}; "
        "pipelines reuse these answers where they can"
    )


def show_result(result: SearchResult, folder: Path) -> None:
    """The table of what was measured on test, what it means, what it took, and where it lies."""
    from compose.search.report.names import short
    from compose.search.report.page import shown
    from compose.search.report.sentences import sentences

    table(
        ["", "pipeline", "quality", "low", "high", "USD per 1,000", "seconds"],
        [
            (
                _place(e, result),
                short(e.pipeline, result.prices),
                *(percent(x) for x in (e.quality, e.quality_low, e.quality_high)),
                None if e.usd_per_item is None else f"{1000 * e.usd_per_item:.4g}",
                None if e.latency_s is None else f"{e.latency_s:.2f}",
            )
            for e in shown(result)
        ],
        title=f"{result.benchmark}: measured on {result.test_n} test items, chosen on {result.dev_n} others",
    )
    for sentence in sentences(result):
        show(sentence)
    show(
        f"\n{result.evaluated} pipelines in {result.seconds:.1f} s, {result.calls} calls asked for, "
        f"{result.made} made, {dollars(result.usd_spent)} spent"
    )
    for error in result.errors:
        say(f"failed: {error['message']}")
    show(f'report: {result.report}\nuse it: compose run {folder / "winner.yaml"} "…"')


def _place(entry: Entry, result: SearchResult) -> str:
    if result.best_single and entry.pipeline == result.best_single.pipeline:
        return "single"
    return "winner" if result.winner and entry.pipeline == result.winner.pipeline else ""
