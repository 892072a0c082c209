"""How long a search over recordings takes: 60 pipelines, 500 items, twelve models, one core.

Each pipeline is run on 500 dev items and the picks on 500 test items, the recordings are those of
zeroeval_gsm; reading them is part of the time.

    python benchmarks/replay_search.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from compose.evals.benchmark import load_benchmark
from compose.models.call import Caller
from compose.search.result import SearchResult
from compose.search.search import search

TARGET_SECONDS = 60.0
ITEMS, TRIALS = 1000, 60
"""A thousand items, so that each of the 60 pipelines is run on 500 of them."""


async def run(data: Path, out: Path) -> SearchResult:
    """One search from nothing."""
    async with Caller(data=data) as caller:
        return await search(
            load_benchmark("zeroeval_gsm", data=data), caller=caller, out=out, trials=TRIALS, limit=ITEMS
        )


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "replay_search.json")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        result = asyncio.run(run(given.data, Path(folder) / "run"))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    report = {
        "name": "replay_search",
        "figures": {
            "pipelines": result.evaluated,
            "dev_items": result.dev_n,
            "test_items": result.test_n,
            "models": len(result.prices),
            "calls": result.calls,
            "seconds": round(wall, 2),
            "cpu_seconds": round(cpu, 2),
            "target_seconds": TARGET_SECONDS,
            "load_average": load,
        },
        "seed": 0,
        "commit": commit.stdout.strip(),
        "machine": f"one core, {platform.machine()}, {platform.system()}, Python {platform.python_version()}",
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(report["figures"], indent=1) + "\n")


if __name__ == "__main__":
    main()
