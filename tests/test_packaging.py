"""The wheel and the sdist: what is in them, and that they work away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINKED = ("techniques", "routers", "guards", "evals")

pytest.importorskip("build", reason="the package `build` is not installed")


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with its output on failure."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=cwd, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def source_copy(to: Path, *, symlinks: bool) -> Path:
    """The checkout as git has it, with links kept or, as a careless copy does, turned into text files."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, to / name
        if not source.exists() and not source.is_symlink():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink() and not symlinks:
            target.write_text(str(source.readlink()))
        else:
            shutil.copy2(source, target, follow_symlinks=False)
    return to


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    tree = source_copy(tmp_path_factory.mktemp("tree"), symlinks=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, tree, cwd=folder)
    return folder


def test_the_wheel_holds_the_linked_folders_as_files(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()
        modes = {e.filename: e.external_attr >> 16 for e in entries}
        vote = archive.read("compose/techniques/vote.py").decode()
    names = [e.filename for e in entries]
    assert {n.partition("/")[0] for n in names} == {"compose", wheel.name.partition("-py3")[0] + ".dist-info"}
    assert "class Vote" in vote
    for folder in LINKED:
        assert any(n.startswith(f"compose/{folder}/") for n in names) or not any((ROOT / folder).glob("*.py"))
    assert not [n for n, mode in modes.items() if mode & 0o170000 == 0o120000], "a link in the wheel"
    assert "compose/py.typed" in names
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/"))]


def test_the_sdist_holds_what_a_wheel_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    assert {"pyproject.toml", "hatch_build.py", "LICENSE", "compose/techniques/vote.py"} <= names


def test_the_command_runs_from_outside_the_checkout(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    home = tmp_path / "env"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=tmp_path,
    )
    # What the package depends on comes from this environment; the package itself must not.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env["COMPOSE_CACHE"] = str(tmp_path / "cache")
    where = run(python, "-c", "import compose; print(compose.__file__)", cwd=elsewhere, env=env)
    assert Path(where.stdout.strip()).is_relative_to(home)
    compose = home / "bin" / "compose"
    assert "search" in run(compose, "--help", cwd=elsewhere, env=env).stdout
    assert '"compose.techniques/1"' in run(compose, "techniques", "--json", cwd=elsewhere, env=env).stdout
    assert '"compose.benchmarks/1"' in run(compose, "benchmarks", "arith", "--json", cwd=elsewhere, env=env).stdout


def test_a_build_without_the_links_says_so(tmp_path: Path) -> None:
    tree = source_copy(tmp_path / "tree", symlinks=False)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(tree)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode != 0
    assert "symbolic links compose/techniques" in done.stdout + done.stderr
    assert not list(tmp_path.glob("*.whl"))


def test_the_links_are_relative_and_committed() -> None:
    for name in LINKED:
        link = ROOT / "compose" / name
        assert link.is_symlink()
        assert link.readlink() == Path(f"../{name}")
