"""A package from outside adds a technique and a benchmark through its entry points."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compose.testing.server import FakeServer

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plug-in, installed in a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(ROOT / "tests/plugin")], check=True, capture_output=True)
    return target


def compose(site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, "-m", "compose", *args], env=env, capture_output=True, text=True, check=False, timeout=60
    )


def test_it_is_listed_beside_what_is_built_in(site: Path) -> None:
    listed = json.loads(compose(site, "benchmarks", "--json").stdout)
    assert {"arith", "tiny_sums"} <= {b["name"] for b in listed["benchmarks"]}


async def test_its_technique_and_benchmark_work_together(site: Path, tmp_path: Path) -> None:
    import asyncio

    async with FakeServer(answer=lambda _: "answer: 2") as server:
        pipeline = tmp_path / "p.yaml"
        pipeline.write_text(
            f"version: 1\nsteps:\n  - {{use: generate, model: '{server.id()}'}}\n  - {{use: shout, marks: 3}}\n"
        )
        compose(site, "trust", str(tmp_path))
        said = await asyncio.to_thread(compose, site, "run", str(pipeline), "hi", "--json")
        args = ("eval", str(pipeline), "--benchmark", "tiny_sums", "--split", "all", "--json")
        marked = await asyncio.to_thread(compose, site, *args)
    assert json.loads(said.stdout)["text"] == "ANSWER: 2!!!"
    assert json.loads(marked.stdout)["quality"]["mean"] == 0.5


def test_a_built_in_name_cannot_be_taken_over(site: Path) -> None:
    code = "from compose.registry import find; print(find('techniques', 'vote').__module__)"
    env = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "compose.techniques.vote"


def test_a_broken_package_is_one_line_that_names_it(site: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text("version: 1\nsteps:\n  - {use: broken}\n")
    ended = compose(site, "explain", str(pipeline))
    assert ended.returncode == 2
    assert "compose-shout" in ended.stderr
    assert "Traceback" not in ended.stderr
