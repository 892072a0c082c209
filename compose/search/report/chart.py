"""The Pareto front as inline SVG: quality against what it costs, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Literal

import msgspec

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 54
LOG_FROM = 8.0
"""A cost axis whose ends differ by more than this factor is drawn to a log scale."""

Kind = Literal["front", "winner", "single"]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline measured on test: where it lies, how sure that is, what it is called."""

    x: float
    y: float
    low: float
    high: float
    kind: Kind
    number: int
    name: str


class Axis(msgspec.Struct, frozen=True):
    """One axis: values to pixels, and where its ticks are."""

    place: Callable[[float], float]
    ticks: list[float]


def chart(
    points: Sequence[Point], cloud: Sequence[tuple[float, float]], *, unit: str, show: Callable[[float], str]
) -> str:
    """An SVG of the points; `cloud` are those tried on dev only, `unit` names the x axis, `show` writes its values."""
    points = [p for p in points if p.x > 0]
    cloud = [c for c in cloud if c[0] > 0]
    if not points:
        return ""
    across = _across([p.x for p in points] + [x for x, _ in cloud])
    up = _up(points, cloud)
    return "".join(
        (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="quality against {escape(unit)}">',
            _grid(across, up, unit, show),
            *(f'<circle class="cloud" cx="{across.place(x):.1f}" cy="{up.place(y):.1f}" r="3"/>' for x, y in cloud),
            _steps(points, across, up),
            *(_mark(p, across, up) for p in sorted(points, key=lambda p: p.kind != "front")),
            "</svg>",
        )
    )


def _across(values: Sequence[float]) -> Axis:
    low, high = min(values), max(values)
    if high / low > LOG_FROM:
        a, b = math.log10(low) - 0.06, math.log10(high) + 0.06
        ticks = [m * 10.0**e for e in range(math.floor(a), math.ceil(b) + 1) for m in (1, 2, 5)]
        if b - a > 3:
            ticks = [t for t in ticks if math.log10(t).is_integer() or f"{t:e}"[0] == "1"]
        inside = [t for t in ticks if a <= math.log10(t) <= b]
        return Axis(lambda v: LEFT + (math.log10(v) - a) / (b - a) * (WIDTH - LEFT - RIGHT), inside)
    pad = (high - low) * 0.06 or high * 0.1
    a, b = max(0.0, low - pad), high + pad
    return Axis(lambda v: LEFT + (v - a) / (b - a) * (WIDTH - LEFT - RIGHT), _round_ticks(a, b))


def _up(points: Sequence[Point], cloud: Sequence[tuple[float, float]]) -> Axis:
    """From just below the front to just above it; a cloud point far below is left out of the picture's range."""
    low = min(min(p.low for p in points), *(p.y for p in points))
    high = max(p.high for p in points)
    if cloud:
        ordered = sorted(y for _, y in cloud)
        low, high = min(low, ordered[len(ordered) // 10]), max(high, ordered[-1])
    pad = (high - low) * 0.05 or 0.05
    a, b = max(0.0, low - pad), min(1.0, high + pad)
    bottom = HEIGHT - BOTTOM
    return Axis(lambda v: bottom - (max(v, a) - a) / (b - a) * (bottom - TOP), _round_ticks(a, b))


def _round_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _grid(across: Axis, up: Axis, unit: str, show: Callable[[float], str]) -> str:
    bottom = HEIGHT - BOTTOM
    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up.place(t):.1f}" y2="{up.place(t):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{up.place(t) + 4:.1f}" text-anchor="end">{100 * t:g} %</text>'
        for t in up.ticks
    ]
    parts += [
        f'<line class="grid" x1="{across.place(t):.1f}" x2="{across.place(t):.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
        f'<text x="{across.place(t):.1f}" y="{bottom + 18}" text-anchor="middle">{escape(show(t))}</text>'
        for t in across.ticks
    ]
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{escape(unit)} →</text>')
    return "".join(parts)


def _steps(points: Sequence[Point], across: Axis, up: Axis) -> str:
    """The staircase of the best quality at or below each cost."""
    path, best = "", -1.0
    for p in sorted(points, key=lambda p: (p.x, -p.y)):
        if p.y <= best:
            continue
        best = p.y
        path += f"{'H' if path else 'M'}{across.place(p.x):.1f}"
        path += f"V{up.place(p.y):.1f}" if path.count("H") else f" {up.place(p.y):.1f}"
    return f'<path class="step" d="{path}H{WIDTH - RIGHT}"/>'


def _mark(p: Point, across: Axis, up: Axis) -> str:
    x, y = across.place(p.x), up.place(p.y)
    bar = (
        f'<line class="bar {p.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{up.place(p.low):.1f}" y2="{up.place(p.high):.1f}"/>'
    )
    dot = f'<circle class="{p.kind}" cx="{x:.1f}" cy="{y:.1f}" r="7.5"/>'
    number = f'<text class="number" x="{x:.1f}" y="{y + 3.2:.1f}">{p.number}</text>'
    return f"<g><title>{escape(p.name)}</title>{bar}{dot}{number}</g>"
