"""Measure what `import compose` and `compose --help` cost; write benchmarks/results/imports.json.

Each figure is the median over fresh interpreters with warm file caches, beside a
bare interpreter and, where they are installed, the peers' imports in the same run.

    python benchmarks/imports.py [--runs 15]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Any

import record

TARGETS = {"import_ms": 150, "help_ms": 250, "rss_mb": 60}
PEERS = ("litellm", "openai", "optuna")
PEAK = "import resource, sys; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"


def main() -> None:
    """Measure, print, write."""
    options = record.options(__doc__)
    options.add_argument("--runs", type=int, default=15)
    runs = record.parsed(options).runs
    bare = milliseconds(["-c", "pass"], runs)
    figures: dict[str, Any] = {
        "python_ms": bare,
        "import_ms": milliseconds(["-c", "import compose"], runs) - bare,
        "import_with_python_ms": milliseconds(["-c", "import compose"], runs),
        "help_ms": milliseconds(["-m", "compose", "--help"], runs),
        "rss_mb": megabytes("import compose"),
        "help_rss_mb": megabytes("from compose.cli.main import run; run(['--help'])"),
        "peers": {p: peer(p) for p in PEERS if installed(p)},
    }
    record.write("imports", figures, runs=runs, targets=TARGETS)
    for name, target in TARGETS.items():
        print(f"{name:12} {figures[name]:8.1f}   target <= {target}   {'met' if figures[name] <= target else 'MISSED'}")
    for name, figure in figures["peers"].items():
        print(f"import {name:12} {figure['import_ms']:8.1f} ms  {figure['rss_mb']:6.1f} MB")


def milliseconds(arguments: list[str], runs: int) -> float:
    """Median wall time of an interpreter with these arguments, warmed once."""
    times: list[float] = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=record.ROOT)
        times.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(times[1:]), 1)


def megabytes(code: str) -> float:
    """Peak resident memory of an interpreter that ran some code."""
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\n{PEAK}"], capture_output=True, text=True, check=True, cwd=record.ROOT
    )
    return round(float(out.stdout.splitlines()[-1]), 1)


def peer(package: str) -> dict[str, float]:
    """What a peer's import costs, three runs."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    return {"import_ms": milliseconds(["-c", f"import {package}"], 3), "rss_mb": megabytes(f"import {package}")}


def installed(package: str) -> bool:
    """Whether a package can be imported here."""
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


if __name__ == "__main__":
    main()
