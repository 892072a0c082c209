"""The page: one HTML file that asks nothing of the network and runs no script.

All text from models, benchmarks and pipelines is escaped; a content security
policy keeps the page from loading anything even if that were ever missed.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from compose.search.report.chart import Kind, Point, chart
from compose.search.report.names import model_name, short
from compose.search.report.sentences import percent, sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compose.search.entry import Entry
    from compose.search.result import SearchResult

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render_report(source: SearchResult | Path) -> str:
    """The page of a result, or of a search's folder or record file.

    Raises `DataError` for a file that is not a record.
    """
    if isinstance(source, Path):
        from compose.search.record import read_record
        from compose.search.result import conclude

        source = conclude(read_record(source))
    result = source
    rows = shown(result)
    style = files("compose.search.report").joinpath("style.css").read_text("utf-8")
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Search on {escape(result.benchmark)}</title>",
            f"<style>\n{style}</style></head><body><main>",
            f"<h1>Search on {escape(result.benchmark)}</h1>",
            f'<p class="soft">{escape(_subtitle(result))}</p>',
            _verdict(result),
            _charts(result, rows),
            _table(result, rows),
            _all_tried(result),
            _how(result),
            "</main></body></html>\n",
        )
    )


def shown(result: SearchResult) -> list[Entry]:
    """What was measured on test, each once, best quality first, then cheapest."""
    every = [e for e in (result.winner, result.best_single, *result.front) if e is not None]
    once: dict[str, Entry] = {}
    for entry in every:  # the winner before the front: its own test is the one that the verdict tells
        once.setdefault(repr(entry.pipeline), entry)
    return sorted(once.values(), key=lambda e: (-e.quality, e.usd_per_item or 0.0))


def _subtitle(result: SearchResult) -> str:
    return (
        f"{result.evaluated} pipelines of {result.space_size:,} tried on {result.dev_n} dev items; "
        f"those worth it measured once on {result.test_n} test items. Seed {result.seed}."
    )


def _verdict(result: SearchResult) -> str:
    sure = "" if result.recommended == "winner" and not result.too_few else " unsure"
    said = "".join(f"<p>{escape(s)}</p>" for s in sentences(result))
    return f'<div class="verdict{sure}">{said}</div>'


def _kind(entry: Entry, result: SearchResult) -> Kind:
    if result.best_single and entry.pipeline == result.best_single.pipeline:
        return "single"
    return "winner" if result.winner and entry.pipeline == result.winner.pipeline else "front"


def _charts(result: SearchResult, rows: Sequence[Entry]) -> str:
    dollars = _chart(
        result,
        [(e, None if e.usd_per_item is None else 1000 * e.usd_per_item) for e in rows],
        [(1000 * t.usd_per_item, t.quality) for t in result.tried if t.usd_per_item and not t.stopped_early],
        unit="USD per 1,000 items",
        title="Quality and price",
    )
    seconds = _chart(
        result,
        [(e, e.latency_s) for e in rows],
        [(t.latency_s, t.quality) for t in result.tried if t.latency_s and not t.stopped_early],
        unit="seconds an item",
        title="Quality and latency",
    )
    return dollars + seconds


def _chart(
    result: SearchResult,
    placed: Sequence[tuple[Entry, float | None]],
    cloud: Sequence[tuple[float, float]],
    *,
    unit: str,
    title: str,
) -> str:
    points = [
        Point(
            x=x,
            y=e.quality,
            low=e.quality_low,
            high=e.quality_high,
            kind=_kind(e, result),
            number=number,
            name=f"{short(e.pipeline, result.prices)}: {percent(e.quality)}",
        )
        for number, (e, x) in enumerate(placed, 1)
        if x is not None
    ]
    svg = chart(points, cloud, unit=unit, show=lambda v: f"{v:g}")
    if not svg:
        return ""
    return (
        f"<h2>{title}</h2><figure>{svg}<figcaption>Numbered: measured on test, with 95 % intervals; the numbers are "
        "those of the table. Orange: best single model. Green: winner. Grey dots: tried on dev only, where the best "
        "of many looks better than it is.</figcaption></figure>"
    )


def _table(result: SearchResult, rows: Sequence[Entry]) -> str:
    if not rows:
        return ""
    timed = any(e.latency_s is not None for e in rows)
    head = ["#", "Pipeline", "Quality on test", "Against best single, points", "USD per 1,000", "Of its price"]
    head += ["Seconds"] if timed else []
    body = "".join(_row(number, e, result, timed=timed) for number, e in enumerate(rows, 1))
    cells = "".join(f'<th{_wide(h)} scope="col">{h}</th>' for h in head)
    return (
        "<h2>Best pipelines against the best single model</h2>"
        f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'
        '<p class="soft">Intervals are 95 %. Chosen on dev, measured once on test. A difference is called significant '
        "where a paired two-sided test gives p ≤ .05. That of the winner is one test; of the other pipelines p is adjusted "
        "after Holm for all of the front.</p>"
    )


def _wide(head: str) -> str:
    return ' class="wide"' if head == "Pipeline" else ""


def _row(number: int, e: Entry, result: SearchResult, *, timed: bool) -> str:
    single = result.best_single
    is_single = bool(single and e.pipeline == single.pipeline)
    is_winner = bool(result.winner and e.pipeline == result.winner.pipeline)
    tags = " ".join(
        f'<span class="tag">{t}</span>' for t, yes in (("winner", is_winner), ("best single", is_single)) if yes
    )
    share = "–"
    if e.usd_per_item is not None and single and single.usd_per_item:
        share = f"{100 * e.usd_per_item / single.usd_per_item:.0f} %"
    cells = [
        f"<td>{number}</td>",
        f'<td class="wide">{escape(short(e.pipeline, result.prices))} {tags}</td>',
        f"<td>{percent(e.quality)}<small>{percent(e.quality_low)} to {percent(e.quality_high)}</small></td>",
        f"<td>{'–' if is_single else _gain(e)}</td>",
        f"<td>{_thousand(e.usd_per_item)}</td>",
        f"<td>{share}</td>",
    ]
    if timed:
        cells.append(f"<td>{'unknown' if e.latency_s is None else f'{e.latency_s:.2f}'}</td>")
    kind = " ".join(k for k, yes in (("winner", is_winner), ("single", is_single)) if yes)
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _gain(e: Entry) -> str:
    if e.gain is None:
        return "–"
    sure = ", significant" if e.significant else ""
    return f"{100 * e.gain.mean:+.1f}<small>{100 * e.gain.low:+.1f} to {100 * e.gain.high:+.1f}{sure}</small>"


def _thousand(usd: float | None) -> str:
    return "unknown" if usd is None else f"{1000 * usd:.4g}"


def _all_tried(result: SearchResult) -> str:
    ordered = sorted(result.tried, key=lambda t: (t.stopped_early, -t.quality, t.usd_per_item or 0.0))
    rows = "".join(
        f'<tr><td class="wide">{escape(short(t.pipeline, result.prices))}</td><td>{percent(t.quality)}</td>'
        f"<td>{_thousand(t.usd_per_item)}</td><td>{t.n}{' (stopped early)' if t.stopped_early else ''}</td></tr>"
        for t in ordered
    )
    return (
        f"<details><summary>All {result.evaluated} pipelines tried, on dev</summary>"
        '<p class="soft">Dev figures chose the winner; they flatter whoever is on top.</p>'
        '<div class="scroll"><table><thead><tr><th class="wide" scope="col">Pipeline</th><th scope="col">Quality on dev'
        '</th><th scope="col">USD per 1,000</th><th scope="col">Items</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _how(result: SearchResult) -> str:
    reused = 1 - result.made / result.calls if result.calls else 0.0
    price = "unknown" if result.usd is None else f"${result.usd:.4g}"
    licence = f" Data: {escape(result.licence)}." if result.licence else ""
    return (
        f"<details><summary>How this was made</summary><p>{result.calls:,} calls were asked for, {percent(reused)} of "
        f"them answered by samples that were there already. Without any reuse they would cost {price} at list prices."
        f"{licence} Sampler {escape(result.sampler)}, seed {result.seed}, compose {escape(result.version)}.</p>"
        f"{_prices(result)}</details>"
    )


def _prices(result: SearchResult) -> str:
    rows = "".join(
        f'<tr><td class="wide">{escape(model_name(id, result.prices))}</td><td>{_price(p.get("input"))}</td>'
        f'<td>{_price(p.get("output"))}</td><td class="wide">{escape(_source(p))}</td></tr>'
        for id, p in result.prices.items()
    )
    return (
        '<div class="scroll"><table><thead><tr><th class="wide" scope="col">Model</th><th scope="col">USD per million '
        'tokens in</th><th scope="col">out</th><th class="wide" scope="col">Price from</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _price(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


def _source(price: dict[str, object]) -> str:
    return ", ".join(str(price[k]) for k in ("source", "date") if price.get(k))
