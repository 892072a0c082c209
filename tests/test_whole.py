"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from compose.whole import write_whole


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "page").symlink_to(precious)
    write_whole(tmp_path / "out" / "page", "new")
    assert precious.read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "out" / "page").read_text(encoding="utf-8") == "new"


def test_a_failure_leaves_what_was_there_and_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    with pytest.raises(OSError, match="page"):
        write_whole(tmp_path / "page", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["page"]
