"""How long a search over recordings takes: 60 pipelines, 500 items, twelve models, one core.

Each pipeline is run on 500 dev items and the picks on 500 test items, the recordings are those of
zeroeval_gsm; reading them is part of the time.

    python benchmarks/replay_search.py --data ../shared/data
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

import record

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
    data = record.parsed(record.options(__doc__, data=True)).data
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        result = asyncio.run(run(data, Path(folder) / "run"))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    figures = {
        "pipelines": result.evaluated,
        "dev_items": result.dev_n,
        "test_items": result.test_n,
        "models": len(result.prices),
        "calls": result.calls,
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
    }
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    file = record.write(
        "replay_search", figures, seed=0, targets={"seconds": TARGET_SECONDS}, cores=1, load_average=load
    )
    print(f"{file}: {figures}")


if __name__ == "__main__":
    main()
