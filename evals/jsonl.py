"""Benchmarks from a user's own files: JSON lines, CSV, or a pandas frame.

One line is one item: `{"id", "prompt" | "messages", "target", "groups", "meta", "scorer"}`.
Only a prompt (or messages) is needed; a missing id is the line number.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compose.errors import DataError


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and object of every line that is not empty.

    Raises `DataError` with file and line for a line that is not a JSON object.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _object(line, path, number)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read: {error}", file=str(path)) from error


def _object(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"not JSON: {error}", file=str(path), line=number) from error
    if not isinstance(row, dict):
        raise DataError(f"expected an object, got {type(row).__name__}", file=str(path), line=number)
    return row  # pyright: ignore[reportUnknownVariableType]  # json gives Any
