"""Search: find the pipelines that are worth their cost for a benchmark.

`space` proposes pipeline data, `racing` measures it on dev items, `study` keeps
every finished trial, `choice` picks the winner on dev, and what was picked is
measured once on test. `record` holds all of it, `result` says what it means.
The function is `compose.search.search.search`: its module has the name that it
would have here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compose.search.progress import Progress
    from compose.search.record import read_record, write_record
    from compose.search.report import render_report
    from compose.search.result import SearchResult, conclude
    from compose.search.space import Space, load_space

_PLACES = {
    "Progress": "progress",
    "SearchResult": "result",
    "Space": "space",
    "conclude": "result",
    "load_space": "space",
    "read_record": "record",
    "render_report": "report",
    "write_record": "record",
}
__all__ = [
    "Progress",
    "SearchResult",
    "Space",
    "conclude",
    "load_space",
    "read_record",
    "render_report",
    "write_record",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
