"""A release becomes a set as private as any other recording."""

from __future__ import annotations

import json
import os
from pathlib import Path

from compose.evals.zeroeval_release import import_release


def test_an_imported_release_is_private_and_replaced_whole(tmp_path: Path) -> None:
    session = {"session_id": "q0", "chat_history": ["1 + 1?"], "output": ["2"], "answer": "# 2"}
    folder, out = tmp_path / "gsm", tmp_path / "user" / "recordings" / "zeroeval_gsm"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps([session]), encoding="utf-8")
    assert import_release(folder, out) == import_release(folder, out) == out
    assert sorted(f.name for f in out.iterdir()) == ["items.jsonl.gz", "models.json", "records.jsonl.gz"]
    assert [f.name for f in out.parent.iterdir()] == ["zeroeval_gsm"]
    if os.name == "posix":
        assert out.stat().st_mode & 0o077 == 0
