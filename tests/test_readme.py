"""What the README shows runs as it stands: its Python, its commands, its make targets."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from compose.cli.main import run
from tests.cli.commandline import environment

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", README)


def commands(language: str) -> list[list[str]]:
    """The command lines in fenced blocks, without comments and prompts."""
    lines = [line.removeprefix("$ ") for block in blocks(language) for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def needs_the_embedded_model() -> None:
    """Skip where the small model's weights or its engine are not installed."""
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    from compose.models.weights import KNOWN, at_hand

    if at_hand(KNOWN["smollm2-135m"]) is None:
        pytest.skip("the weights of smollm2-135m are not here")


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_python_and_commands(tmp_path: Path) -> None:
    needs_the_embedded_model()
    for i, block in enumerate(blocks("python")):
        file = tmp_path / f"snippet{i}.py"
        file.write_text(block)
        done = subprocess.run(
            [sys.executable, str(file)], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
    for line in commands("bash"):
        if line[0] == "compose":
            done = subprocess.run(
                [sys.executable, "-m", *line],
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}: {done.stderr}"


def test_every_command_and_option_shown_exists(capsys: pytest.CaptureFixture[str]) -> None:
    shown = [line for language in ("bash", "console") for line in commands(language) if line[0] == "compose"]
    assert len(shown) > 5
    for line in shown:
        words = line[1:3] if line[1] in ("models", "cache") else line[1:2]
        assert run([*words, "--help"]) == 0
        text = capsys.readouterr().out
        for option in (w for w in line if w.startswith("--")):
            assert option in text, f"{option} of {line}"


def test_make_targets_shown_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {line[1] for line in commands("bash") if line[0] == "make"}
    assert {"search", "test"} <= targets
    for target in targets:
        assert re.search(rf"(?m)^{target}:", makefile), target


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", README):
        assert (ROOT / target).exists(), target
