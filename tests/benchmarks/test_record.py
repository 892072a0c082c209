"""Figures belong to a commit: a changed tree is not measured, unless that is asked for and said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "benchmarks" / "record.py"
SCRIPT = """
import record
record.parsed(record.options(__doc__))
print("measuring")
print(record.write("speed", {"ms": 1.0}))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with one benchmark, all of it committed."""
    folder = tmp_path / "tree"
    (folder / "benchmarks" / "results").mkdir(parents=True)
    shutil.copy(SOURCE, folder / "benchmarks" / "record.py")
    (folder / "benchmarks" / "speed.py").write_text(SCRIPT)
    (folder / "benchmarks" / "results" / "other.json").write_text("{}")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org"]
    for line in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *line], cwd=folder, check=True)
    return folder


def measure(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark."""
    env = {k: v for k, v in os.environ.items() if k != "COMPOSE_BENCH_DIRTY"}
    line = [sys.executable, "benchmarks/speed.py", *options]
    return subprocess.run(line, cwd=tree, env=env, capture_output=True, text=True, check=False)


def test_a_committed_tree_is_measured_whatever_its_results_say(tree: Path) -> None:
    (tree / "benchmarks" / "results" / "other.json").write_text('{"newer": 1}')
    done = measure(tree)
    assert done.returncode == 0, done.stderr
    written = json.loads((tree / "benchmarks" / "results" / "speed.json").read_text())
    assert written["figures"] == {"ms": 1.0}
    assert "dirty" not in written["commit"]
    assert "uncommitted" not in written


def test_a_changed_tree_is_refused_before_anything_is_measured(tree: Path) -> None:
    (tree / "benchmarks" / "speed.py").write_text(SCRIPT + "# changed\n")
    done = measure(tree)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "speed.py" in done.stderr
    assert "--allow-dirty" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tree / "benchmarks" / "results" / "speed.json").exists()


def test_a_changed_tree_is_named_where_it_is_allowed(tree: Path) -> None:
    (tree / "benchmarks" / "speed.py").write_text(SCRIPT + "# changed\n")
    done = measure(tree, "--allow-dirty")
    assert done.returncode == 0, done.stderr
    written = json.loads((tree / "benchmarks" / "results" / "speed.json").read_text())
    assert written["commit"].endswith("-dirty")
    assert written["uncommitted"] == ["benchmarks/speed.py"]
