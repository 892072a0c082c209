"""How every benchmark keeps what it measured: benchmarks/results/NAME.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def write(name: str, figures: dict[str, Any], *, seed: int | None = None, **facts: Any) -> Path:
    """Write figures with the commit, the day and the machine they were taken on; returns the file."""
    record = {"benchmark": name, "commit": commit(), "date": day(), "seed": seed, "machine": machine()}
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps({**record, **facts, "figures": figures}, indent=2) + "\n", encoding="utf-8")
    return file


def commit() -> str:
    """The commit measured, `-dirty` where the tree differs from it."""
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    return run.stdout.strip() or "unknown"


def machine() -> str:
    """The machine in words; no name of a host, since only its kind matters."""
    kind = f"{os.cpu_count()} shared {platform.machine()} cores"
    return f"{kind}, {platform.system()}, Python {platform.python_version()}"


def day() -> str:
    """Today, as 2026-01-31."""
    return time.strftime("%Y-%m-%d")
