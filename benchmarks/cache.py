"""Measure the cache: a hit, a miss, a durable write alone and among 64; write results/cache.json.

A hit is all of `Cache.get`: key, lookup, decoding. Figures are medians over
batches, in microseconds, on a file of 50,000 answers.

    python benchmarks/cache.py [--answers 50000]
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import record

from compose.models.cache import Cache, key_of
from compose.types import Message, Params, Request, Response, Usage

SEED = 0
TARGETS = {"hit_us": 100}
BATCH = 100
ROUNDS = 30


def main() -> None:
    """Measure, print, write."""
    options = record.options(__doc__)
    options.add_argument("--answers", type=int, default=50_000)
    answers: int = record.parsed(options).answers
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder) / "calls.sqlite")
        asyncio.run(fill(cache, answers))
        response = answer()
        fresh = iter(range(answers, 10 * answers))
        figures = {
            "hit_us": median_us(lambda: [ask(rng.randrange(answers)) for _ in range(BATCH)], cache.get),
            "miss_us": median_us(lambda: [ask(-1 - rng.randrange(answers)) for _ in range(BATCH)], cache.get),
            "put_us": median_us(lambda: [ask(next(fresh)) for _ in range(BATCH)], lambda r: cache.put(r, response)),
            "put_among_64_us": asyncio.run(among_64(cache, fresh)),
            "bytes_per_answer": round(cache.stats().bytes / cache.stats().answers),
        }
        cache.close()
    file = record.write("cache", figures, seed=SEED, answers=answers, targets=TARGETS)
    for name, figure in figures.items():
        target = TARGETS.get(name)
        print(f"{name:18} {figure:8.1f}" + (f"   target <= {target}" if target else ""))
    print(file)


def ask(number: int) -> Request:
    """A question of about 600 characters with a system prompt."""
    text = f"Question {number}. " + "A train leaves the station at noon and travels for three hours. " * 9
    return Request(
        "gpt-4o-mini", (Message("system", "Think step by step."), Message("user", text)), Params(temperature=0.7)
    )


def answer() -> Response:
    """An answer of about 1,000 characters."""
    return Response("First we note the speed. " * 40, "gpt-4o-mini", Usage(150, 250), usd=0.0002, seconds=1.2)


async def fill(cache: Cache, count: int) -> None:
    """Store `count` answers."""
    for start in range(0, count, 1000):
        await asyncio.gather(*(cache.store(key_of(ask(i)), answer()) for i in range(start, min(start + 1000, count))))


def median_us(make: Callable[[], list[Request]], act: Callable[[Request], object]) -> float:
    """Median over rounds of the mean time of one act."""
    times: list[float] = []
    for _ in range(ROUNDS):
        requests = make()
        began = time.perf_counter()
        for request in requests:
            act(request)
        times.append((time.perf_counter() - began) / len(requests) * 1e6)
    return round(statistics.median(times), 1)


async def among_64(cache: Cache, numbers: Iterator[int]) -> float:
    """A durable write when 64 finish in the same tick."""
    times: list[float] = []
    response = answer()
    for _ in range(ROUNDS):
        keys = [key_of(ask(next(numbers))) for _ in range(64)]
        began = time.perf_counter()
        await asyncio.gather(*(cache.store(key, response) for key in keys))
        times.append((time.perf_counter() - began) / 64 * 1e6)
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    main()
