"""What the README and the pages of docs/ show runs as it stands: their Python, commands, files and links."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from compose.cli.main import run
from compose.config import load_config
from compose.evals.benchmark import load_benchmark
from compose.pipeline.files import load
from tests.cli.commandline import environment

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
NESTED = ("models", "cache")
"""Commands that have commands of their own."""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"))


def commands(page: Path, *languages: str) -> list[list[str]]:
    """The command lines in fenced blocks, without comments and prompts."""
    lines = [line for language in languages for block in blocks(page, language) for line in block.splitlines()]
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in lines if line.strip()]


def every(language: str) -> list[ParameterSet]:
    """Each fenced block of a language in all pages, named by its page."""
    found = [(page, i, block) for page in PAGES for i, block in enumerate(blocks(page, language))]
    return [pytest.param(block, id=f"{page.stem}-{i}") for page, i, block in found]


def needs_the_embedded_model() -> None:
    """Skip where the small model's weights or its engine are not installed."""
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    from compose.models.weights import KNOWN, at_hand

    if at_hand(KNOWN["smollm2-135m"]) is None:
        pytest.skip("the weights of smollm2-135m are not here")


def process(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with a cache of its own."""
    own = environment(COMPOSE_CACHE=str(cwd / "cache"))
    return subprocess.run([sys.executable, *words], cwd=cwd, env=own, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("block", every("python"))
def test_python(block: str, tmp_path: Path) -> None:
    needs_the_embedded_model()
    (tmp_path / "snippet.py").write_text(block, encoding="utf-8")
    done = process("snippet.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() or "print(" not in block


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_readme_commands(tmp_path: Path) -> None:
    needs_the_embedded_model()
    (tmp_path / "snippet.py").write_text(blocks(README, "python")[0], encoding="utf-8")  # it saves colours.yaml
    assert process("snippet.py", cwd=tmp_path).returncode == 0
    for line in commands(README, "bash"):
        if line[0] == "compose":
            done = process("-m", *line, cwd=tmp_path)
            assert done.returncode == 0, f"{line}: {done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_and_option_shown_exists(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in commands(page, "bash", "console"):
        if line[0] != "compose":
            continue
        words = line[1:3] if line[1] in NESTED else line[1:2]
        assert run([*words, "--help"]) == 0, line
        text = capsys.readouterr().out
        for option in (word for word in line if word.startswith("--")):
            assert option in text, f"{option} of {line}"


@pytest.mark.parametrize("block", every("yaml"))
def test_pipeline_files(block: str, tmp_path: Path) -> None:
    file = tmp_path / "shown.yaml"
    file.write_text(block, encoding="utf-8")
    pipeline = load(file)
    pipeline.save(tmp_path / "again.yaml")
    assert load(tmp_path / "again.yaml") == pipeline


@pytest.mark.parametrize("block", every("toml"))
def test_configurations(block: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.toml"
    file.write_text(block, encoding="utf-8")
    assert set(load_config(explicit=file).models) == set(tomllib.loads(block)["models"])


@pytest.mark.parametrize("block", every("json"))
def test_benchmark_lines(block: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(block, encoding="utf-8")
    assert len(load_benchmark(str(file)).items()) == len(block.splitlines())


def test_make_targets_shown_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {line[1] for page in PAGES for line in commands(page, "bash") if line[0] == "make"}
    assert {"search", "test"} <= targets
    for target in targets:
        assert re.search(rf"(?m)^{target}:", makefile), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_figures_are_those_of_the_results() -> None:
    spec = spec_from_file_location("render", ROOT / "docs" / "render.py")
    assert spec is not None
    assert spec.loader is not None
    render = module_from_spec(spec)
    spec.loader.exec_module(render)
    assert render.PAGE.read_text(encoding="utf-8") == render.page(), "run `make docs`"
