"""The page: one HTML file that asks nothing of the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compose.search.result import SearchResult


def render_report(source: SearchResult | Path) -> str:
    """The page of a result, or of a search's folder or record file."""
    return "<!doctype html><title>search</title>"
