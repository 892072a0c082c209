"""How every benchmark reads its options and keeps what it measured: benchmarks/results/NAME.json.

Figures belong to a commit. Where the tree differs from it a benchmark measures
nothing, unless `--allow-dirty` or `COMPOSE_BENCH_DIRTY=1` is given; the file
then says so. The results themselves do not count as a difference.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
ALLOW = "COMPOSE_BENCH_DIRTY"


def options(about: str | None, *, data: bool = False) -> argparse.ArgumentParser:
    """The command line of a benchmark: `--allow-dirty`, and `--data` for those that need recordings."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--allow-dirty", action="store_true", help="measure a tree that differs from its commit")
    if data:
        given = os.environ.get("COMPOSE_DATA")
        parser.add_argument("--data", type=Path, default=given, required=not given, help="[env: COMPOSE_DATA]")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options as given. Ends the program where the tree differs from its commit and that is not allowed."""
    given = parser.parse_args()
    if given.allow_dirty:
        os.environ[ALLOW] = "1"
    refuse_changes(changes())
    return given


def write(name: str, figures: dict[str, Any], *, seed: int | None = None, **facts: Any) -> Path:
    """Write figures with the commit, the day and the machine they were taken on; returns the file.

    Ends the program, and writes nothing, where the tree differs from its commit and that is not allowed.
    """
    changed = changes()
    refuse_changes(changed)
    record: dict[str, Any] = {"benchmark": name, "commit": commit(), "date": day(), "seed": seed, "machine": machine()}
    if changed:
        record["uncommitted"] = changed
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps({**record, **facts, "figures": figures}, indent=2) + "\n", encoding="utf-8")
    return file


def refuse_changes(changed: list[str]) -> None:
    """End the program with a line where files are changed and that is not allowed."""
    if changed and os.environ.get(ALLOW) != "1":
        sys.exit(
            f"{len(changed)} files differ from the commit ({', '.join(changed[:3])}…): "
            "commit them, or measure nevertheless with --allow-dirty"
        )


def changes() -> list[str]:
    """Tracked files that differ from the commit, the results aside."""
    return _git("diff", "--name-only", "HEAD", "--", ".", ":(exclude)benchmarks/results").splitlines()


def commit() -> str:
    """The commit measured, `-dirty` where the tree differs from it."""
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changes() else "")


def machine() -> str:
    """The machine in words; no name of a host, since only its kind matters."""
    kind = f"{os.cpu_count()} shared {platform.machine()} cores"
    return f"{kind}, {platform.system()}, Python {platform.python_version()}"


def day() -> str:
    """Today, as 2026-01-31."""
    return time.strftime("%Y-%m-%d")


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    return run.stdout.strip()
