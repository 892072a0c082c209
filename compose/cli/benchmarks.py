"""`compose benchmarks`: what can be measured on, with how many items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from compose.cli.options import command as declare
from compose.cli.output import emit, table
from compose.errors import ComposeError
from compose.registry import names


@declare("benchmarks", "data")
@click.argument("name", required=False)
def command(name: str | None, data: Path | None, as_json: bool, seed: int) -> None:
    """List the benchmarks, their splits and groups.

    With NAME, that one. A benchmark whose files are not under --data is listed with the reason.

    Example:

        compose benchmarks arith
    """
    rows = [describe(name, data, seed)] if name else [_or_reason(n, data, seed) for n in names("benchmarks")]
    if as_json:
        emit("benchmarks", {"benchmarks": rows})
        return
    table(
        ["name", "items", "dev", "test", "groups", "licence", "note"],
        [
            (r["name"], r["n"], r["splits"].get("dev"), r["splits"].get("test"), _groups(r), r["licence"], r["note"])
            for r in rows
        ],
    )


def describe(name: str, data: Path | None, seed: int) -> dict[str, Any]:
    """One benchmark as `compose benchmarks --json` lists it."""
    from compose.evals.benchmark import load_benchmark

    benchmark = load_benchmark(name, data=data, seed=seed)
    items = benchmark.items()
    groups: dict[str, int] = {}
    for item in items:
        for key, value in item.groups.items():
            groups[f"{key}={value}"] = groups.get(f"{key}={value}", 0) + 1
    return {
        "name": name,
        "n": len(items),
        "splits": {which: len(benchmark.split(which, seed=seed)) for which in ("dev", "test")},
        "groups": groups,
        "licence": benchmark.licence,
        "note": "",
    }


def _or_reason(name: str, data: Path | None, seed: int) -> dict[str, Any]:
    try:
        return describe(name, data, seed)
    except ComposeError as error:
        return {"name": name, "n": None, "splits": {}, "groups": {}, "licence": None, "note": error.message}


def _groups(row: dict[str, Any]) -> str:
    shown = [f"{k} ({n})" for k, n in list(row["groups"].items())[:4]]
    return ", ".join(shown) + (" …" if len(row["groups"]) > 4 else "")
