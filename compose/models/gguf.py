"""Counts the parameters of a GGUF file from its header, without a library."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO

_WIDTH = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value by its type; 8 is a string, 9 an array."""
_STRING, _ARRAY = 8, 9
_MAX_RANK = 4
"""Dimensions that a tensor can have."""
_MAGIC = int.from_bytes(b"GGUF", "little")


def parameters(path: Path) -> float | None:
    """Parameters in billions, `None` for a file that is no GGUF of version 2 or 3."""
    try:
        with path.open("rb") as file:
            return _count(file) / 1e9
    except (OSError, OverflowError, ValueError, struct.error):
        return None


def _count(file: BinaryIO) -> int:
    magic, version, tensors, settings = _read(file, "<IIQQ")
    if magic != _MAGIC or version not in (2, 3):
        raise ValueError("no GGUF of version 2 or 3")
    for _ in range(settings):
        _skip_string(file)
        _skip_value(file, _read(file, "<I")[0])
    return sum(_elements(file) for _ in range(tensors))


def _elements(file: BinaryIO) -> int:
    """Elements of one tensor from its entry: name, shape, type, offset."""
    _skip_string(file)
    (rank,) = _read(file, "<I")
    if rank > _MAX_RANK:
        raise ValueError(f"a tensor of {rank} dimensions")
    shape = _read(file, f"<{rank}Q")
    file.seek(12, 1)
    return math.prod(shape)


def _skip_value(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        _skip_string(file)
    elif kind == _ARRAY:
        inner, count = _read(file, "<IQ")
        if inner == _STRING:
            for _ in range(count):
                _skip_string(file)
        else:
            file.seek(_width(inner) * count, 1)
    else:
        file.seek(_width(kind), 1)


def _width(kind: int) -> int:
    if kind not in _WIDTH:
        raise ValueError(f"a value of type {kind}")
    return _WIDTH[kind]


def _skip_string(file: BinaryIO) -> None:
    file.seek(_read(file, "<Q")[0], 1)


def _read(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
