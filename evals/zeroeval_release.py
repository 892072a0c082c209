"""ZeroEval's own release format, turned into a recorded set that `replay/` serves.

A release has one file per task and model, `result_dirs/<task>/<model>.json`: a
list of `{"session_id", "chat_history": [prompt], "output": [text], "answer", …}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from compose.cost import estimate_tokens
from compose.errors import DataError
from compose.models.recording import save_set
from compose.types import Json

TASKS = {"zeroeval_gsm": "gsm", "zeroeval_crux": "crux", "zeroeval_math_l5": "math-l5"}


class _Session(msgspec.Struct):
    session_id: str
    chat_history: list[str]
    output: list[str] | None = None
    answer: str | None = None
    question: str | None = None
    problem: str | None = None


def release_files(folder: Path) -> list[Path]:
    """The model files of a task's folder, by name."""
    return sorted(p for p in folder.glob("*.json") if not p.name.endswith((".summary.json", ".ae.json")))


def import_release(folder: Path, out: Path) -> Path:
    """Turn a task's folder into the recorded set `out`, in place of what is there.

    Token counts are estimates, prices are unknown. Raises `DataError` for a file
    in another form, or a prompt that differs between the models.
    """
    items: dict[str, Json] = {}
    records: list[Json] = []
    listed: dict[str, Json] = {}
    for path in release_files(folder):
        listed[path.stem] = {"input_usd_per_mtok": None, "output_usd_per_mtok": None}
        for number, session in _sessions(path):
            item, record = _split(session, path, number)
            if items.setdefault(item["id"], item)["prompt"] != item["prompt"]:
                raise DataError(f"the prompt of {item['id']!r} is not the one of the other models", file=str(path))
            records.append(record)
    if not records:
        raise DataError("no results of a ZeroEval release", file=str(folder), hint="expected <task>/<model>.json")
    return save_set(out, items.values(), records, listed, replace=True)


def _sessions(path: Path) -> Iterator[tuple[int, _Session]]:
    try:
        sessions = msgspec.json.decode(path.read_bytes(), type=list[_Session])
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"not a file of a ZeroEval release: {error}", file=str(path)) from error
    yield from enumerate(sessions)


def _split(session: _Session, path: Path, number: int) -> tuple[Json, Json]:
    if not session.chat_history or session.answer is None:
        field = "answer" if session.chat_history else "chat_history"
        raise DataError(f"entry {number} lacks it", file=str(path), field=field)
    prompt = session.chat_history[-1]
    output = session.output[0] if session.output else ""
    item: Json = {
        "id": session.session_id,
        "prompt": prompt,
        "question": session.question or session.problem,
        "target": session.answer.removeprefix("# ").strip(),
    }
    record: Json = {
        "id": session.session_id,
        "model": path.stem,
        "output": output,
        "prompt_tokens": estimate_tokens(prompt),
        "completion_tokens": estimate_tokens(output),
    }
    return item, record
