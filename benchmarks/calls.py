"""Measure orchestration against a loopback server beside a bare aiohttp script; write results/calls.json.

Three graphs: (a) mixture of agents, 6 models → 6 → 6 → 1; (b) 10 models × 5
samples → rank → fuse; (c) 5 samples → critique → rank → 5 fuse → verify → fuse.
The bare script sends the same calls in the same order, a stage at a time. Both
take turns in one process; the server has its own. Then calls per second, CPU a
call and resident memory with 64 in flight.

    python benchmarks/calls.py [--calls 100000] [--quick]
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import _loopback
import aiohttp
import record

import compose as c
from compose.config import Config
from compose.models.cache import Cache
from compose.models.call import Caller
from compose.models.ledger import Ledger
from compose.pipeline.graph import Pipeline
from compose.types import Message, Request, Response

LATENCIES_MS = {0: 40, 20: 15, 200: 5}
"""Milliseconds, and how often each graph is run at them."""
IN_FLIGHT = 64
TARGETS = {
    "wall_over_critical_path_at_200_ms": "<= 1.05 x + 5 ms",
    "wall_over_bare_at_0_and_20_ms": 1.15,
    "cpu_ms_over_bare": 0.3,
    "calls_per_second": 2000,
}


def graphs(base: str) -> dict[str, Pipeline]:
    """The three graphs over models of one server."""
    models = [f"{base}#m{i}" for i in range(10)]
    layer = [c.fuse(m) for m in models[:6]]
    return {
        "a": c.ensemble(models[:6]) >> _beside(layer) >> _beside(layer) >> c.fuse(models[0]),
        "b": c.ensemble(models, n=5) >> c.rank(models[0], keep=5) >> c.fuse(models[1]),
        "c": c.generate(models[0], n=5)
        >> c.critique(models[1])
        >> c.rank(models[2], keep=5)
        >> c.fuse(models[3], n=5)
        >> c.verify(models[4])
        >> c.fuse(models[5]),
    }


def _beside(branches: list[Pipeline]) -> Pipeline:
    first, *rest = branches
    for branch in rest:
        first = first | branch
    return first


class Listening(Caller):
    """Remembers which node asked what."""

    def __init__(self) -> None:
        super().__init__(Config(), cache="off")
        self.heard: list[tuple[str, Request]] = []

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        self.heard.append((node, request))
        return await super().call(request, ledger, node=node)


async def stages(pipeline: Pipeline) -> list[list[Request]]:
    """The calls of a pipeline by how many steps come before them."""
    async with Listening() as caller:
        await pipeline.arun("Why is the sky blue?", caller=caller)
    depth: dict[str, int] = {}
    for node in pipeline.plan:
        depth[node.id] = 1 + max((depth[p] for p in node.parents), default=-1)
    count = max(depth.values()) + 1
    by_depth = [[request for node, request in caller.heard if depth[node] == d] for d in range(count)]
    return [stage for stage in by_depth if stage]


async def bare_graph(session: aiohttp.ClientSession, calls: list[list[Request]]) -> None:
    """The same calls by hand."""
    for stage in calls:
        await asyncio.gather(*(bare_call(session, request) for request in stage))


async def bare_call(session: aiohttp.ClientSession, request: Request) -> str:
    """One call as a short script makes it."""
    url, _, name = request.model.partition("#")
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    async with session.post(f"{url}/chat/completions", json={"model": name, "messages": messages}) as response:
        return (await response.json())["choices"][0]["message"]["content"]


@asynccontextmanager
async def kept_caller(folder: Path, mode: str) -> AsyncGenerator[Caller]:
    """A caller with a new cache, or none."""
    cache = Cache(folder / f"{time.monotonic_ns()}.sqlite") if mode == "on" else None
    async with Caller(Config(), cache=cache, concurrency=IN_FLIGHT) as caller:
        yield caller
    if cache is not None:
        cache.close()


async def graph_figures(address: str, folder: Path, quick: bool) -> dict[str, Any]:
    """Wall time of every graph at every latency: ours with and without cache, and bare."""
    figures: dict[str, Any] = {}
    for latency, runs in LATENCIES_MS.items():
        for name, pipeline in graphs(f"{address}/{latency}/v1").items():
            calls = await stages(pipeline)
            figures[f"{name} at {latency} ms"] = await one_graph(
                pipeline, calls, folder, latency / 1000, max(3, runs // 5) if quick else runs
            )
    return figures


async def one_graph(
    pipeline: Pipeline, calls: list[list[Request]], folder: Path, latency: float, runs: int
) -> dict[str, Any]:
    """Medians over runs that take turns, so that what disturbs the machine disturbs all alike."""
    times: dict[str, list[float]] = {"bare": [], "off": [], "on": []}
    cpus = dict.fromkeys(times, 0.0)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        kept_caller(folder, "off") as off,
        kept_caller(folder, "on") as on,
    ):
        for run in range(-1, runs):
            question = f"Why is the sky blue? ({run})"
            for mode, work in (
                ("bare", partial(bare_graph, session, calls)),
                ("off", partial(pipeline.arun, question, caller=off)),
                ("on", partial(pipeline.arun, question, caller=on)),
            ):
                wall, cpu = time.perf_counter(), time.process_time()
                await work()
                if run >= 0:  # the first one warms up
                    times[mode].append(time.perf_counter() - wall)
                    cpus[mode] += time.process_time() - cpu
    medians = {mode: statistics.median(walls) for mode, walls in times.items()}
    path = len(calls) * latency
    per_call = {mode: round(cpu / runs / sum(map(len, calls)) * 1000, 3) for mode, cpu in cpus.items()}
    return {
        "calls": sum(map(len, calls)),
        "runs": runs,
        "critical_path_ms": round(path * 1000, 1),
        "bare_ms": _ms(medians["bare"]),
        "wall_ms": _ms(medians["off"]),
        "wall_cached_ms": _ms(medians["on"]),
        "over_bare": round(medians["off"] / medians["bare"], 3),
        "over_bare_with_cache": round(medians["on"] / medians["bare"], 3),
        "cpu_ms_per_call": per_call,
        "over_critical_path": round(medians["on"] / path, 3) if path else None,
    }


async def throughput(address: str, folder: Path, calls: int) -> dict[str, Any]:
    """Calls per second and CPU a call at 64 in flight; memory over many calls."""
    base = f"{address}/0/v1#m"
    figures: dict[str, Any] = {}
    share = min(calls, 20_000)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        bare = partial(bare_call, session)
        await _many(1000, bare, base, "warm")
        figures["bare"] = await _many(share, bare, base, "bare")
    for mode, count in (("off", share), ("on", calls)):
        async with kept_caller(folder, mode) as caller:
            ours = partial(caller.call, ledger=Ledger(), node="n")
            await _many(1000, ours, base, "warm")
            figures[f"cache_{mode}"] = await _many(count, ours, base, mode)
    for mode in ("off", "on"):
        extra = figures[f"cache_{mode}"]["cpu_ms"] - figures["bare"]["cpu_ms"]
        figures[f"cache_{mode}"]["cpu_ms_over_bare"] = round(extra, 3)
    return figures


async def _many(count: int, call: Callable[[Request], Awaitable[object]], model: str, salt: str) -> dict[str, float]:
    """Make `count` different calls, 64 at a time."""
    numbers: Iterator[int] = iter(range(count))
    resident: list[float] = []

    async def worker() -> None:
        for i in numbers:
            if i % max(1, count // 10) == 0:
                gc.collect()
                resident.append(_resident_mb())
            await call(Request(model, (Message("user", f"{salt} {i}"),)))

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    gc.collect()
    return {
        "calls": count,
        "per_second": round(count / wall),
        "cpu_ms": round(cpu / count * 1000, 3),
        "resident_mb_after_a_tenth": round(resident[1] if len(resident) > 1 else resident[0], 1),
        "resident_mb_at_the_end": round(_resident_mb(), 1),
    }


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


async def measure(address: str, calls: int, quick: bool) -> dict[str, Any]:
    """Everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {
            "graphs": await graph_figures(address, folder, quick),
            "at_64_in_flight": await throughput(address, folder, calls),
        }


def main() -> None:
    """Measure, print, write."""
    options = record.options(__doc__)
    options.add_argument("--calls", type=int, default=100_000)
    options.add_argument("--quick", action="store_true", help="fewer runs, not written down")
    given = record.parsed(options)
    with _loopback.server() as address:
        figures = asyncio.run(measure(address, given.calls, given.quick))
    for part in figures.values():
        for name, figure in part.items():
            print(f"{name:14}", "  ".join(f"{k}={v}" for k, v in figure.items()))
    if not given.quick:
        print(record.write("calls", figures, targets=TARGETS, load_average=round(os.getloadavg()[0], 1)))


if __name__ == "__main__":
    main()
