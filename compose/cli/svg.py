"""A pipeline's graph as a small SVG: one column per step of the longest way to a node."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compose.pipeline.graph import Pipeline, Planned

WIDTH, HEIGHT = 190, 44
ACROSS, DOWN = 240, 64
STYLE = (
    "rect{fill:#eef3fb;stroke:#4a6fa5}path{fill:none;stroke:#777;marker-end:url(#tip)}"
    "text{font:13px sans-serif;text-anchor:middle}.model{font-size:11px;fill:#555}"
)
TIP = '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#777"/></marker>'


def svg(pipeline: Pipeline) -> str:
    """The drawing, self-contained, question at the left."""
    places = _places(pipeline.plan)
    columns = 1 + max(column for column, _ in places.values())
    rows = 1 + max(row for _, row in places.values())
    body = [_edge(places[p], places[n.id]) for n in pipeline.plan for p in n.parents]
    body += [_box(node, places[node.id]) for node in pipeline.plan]
    width, height = (columns - 1) * ACROSS + WIDTH + 20, (rows - 1) * DOWN + HEIGHT + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {width} {height}" width="{width}" height="{height}">'
        f"<style>{STYLE}</style><defs>{TIP}</defs>{''.join(body)}</svg>"
    )


def _places(plan: tuple[Planned, ...]) -> dict[str, tuple[int, int]]:
    """Column and row of each node."""
    places: dict[str, tuple[int, int]] = {}
    filled: dict[int, int] = {}
    for node in plan:
        column = 1 + max((places[p][0] for p in node.parents), default=-1)
        places[node.id] = (column, filled.get(column, 0))
        filled[column] = filled.get(column, 0) + 1
    return places


def _box(node: Planned, place: tuple[int, int]) -> str:
    x, y = place[0] * ACROSS, place[1] * DOWN
    models = ", ".join(m.rpartition("/")[2] for m in node.technique.asks())
    shown = models if len(models) <= 30 else models[:29] + "…"
    return (
        f"<g><title>{escape(f'{node.id}: {models}')}</title>"
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{x + WIDTH / 2}" y="{y + (18 if models else 27)}">{escape(node.id)}</text>'
        f'<text class="model" x="{x + WIDTH / 2}" y="{y + 35}">{escape(shown)}</text></g>'
    )


def _edge(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] * ACROSS + WIDTH, source[1] * DOWN + HEIGHT / 2
    x2, y2 = target[0] * ACROSS, target[1] * DOWN + HEIGHT / 2
    middle = (x1 + x2) / 2
    return f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"/>'
