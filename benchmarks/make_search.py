"""Time `make search` from nothing in a fresh clone; write results/make_search.json.

The clone has no environment and an empty cache; the package index is whatever
pip is set up with, so the seconds of the installation depend on it.

    python benchmarks/make_search.py
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import record


def main() -> None:
    """Clone, make, write down."""
    record.parsed(record.options(__doc__))
    with tempfile.TemporaryDirectory() as folder:
        clone, out = Path(folder) / "clone", Path(folder) / "out"
        subprocess.run(["git", "clone", "--quiet", str(record.ROOT), str(clone)], check=True)
        env = {**os.environ, "COMPOSE_CACHE": str(Path(folder) / "cache")}
        env.pop("VIRTUAL_ENV", None)
        began = time.perf_counter()
        made = subprocess.run(
            ["make", "-s", "search", f"ARGS=--json --out {out}"], cwd=clone, env=env, capture_output=True, check=True
        )
        seconds = time.perf_counter() - began
        found = json.loads(made.stdout)
        figures = {
            "from_nothing_s": round(seconds, 1),
            "search_s": round(found["seconds"], 1),
            "pipelines": found["evaluated"],
            "calls_made": found["calls"]["made"],
            "best_single_quality": found["best_single"]["quality"],
            "recommended": found["recommended"],
            "too_few_items": found["too_few_items"],
        }
    targets = {"from_nothing_s": 300, "search_s": 90}
    file = record.write("make_search", figures, seed=0, targets=targets)
    print(f"{file}: {figures}")


if __name__ == "__main__":
    main()
