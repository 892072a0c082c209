"""Render docs/figures.md from benchmarks/results/*.json, so that no figure is typed by hand.

python docs/render.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Figures

Rendered by `make docs` from `benchmarks/results/`; each file is written by the script of its name in `benchmarks/`.
"""


PAGE = ROOT / "docs" / "figures.md"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(path) for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")))])


def section(path: Path) -> str:
    """One result as a heading, where it comes from, and a table."""
    record = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    targets = dict(flat(record.get("targets", {})))
    origin = ", ".join(
        f"{key} {record[key]}" for key in ("commit", "uncommitted", "seed", "machine") if record.get(key) is not None
    )
    rows = [f"| {name} | {show(value)} | {show(targets.get(name, ''))} |" for name, value in flat(record["figures"])]
    return "\n".join(
        [f"## {path.stem}", "", origin, "", "| figure | measured | target |", "| --- | ---: | ---: |", *rows, ""]
    )


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects, named by their path; lists are left out."""
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from flat(inner, f"{name}.{key}" if name else key)
    elif not isinstance(value, list):
        yield name, value


def show(value: Any) -> str:
    """A figure in four digits; nothing is shown as a dash."""
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


if __name__ == "__main__":
    main()
