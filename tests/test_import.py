"""What `import compose` costs and shows: nothing heavy, one name for each module, documented names."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import compose
from compose.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"aiohttp", "litellm", "networkx", "numpy", "optuna", "pandas", "scipy", "torch", "xllamacpp"}
LINKED = {"techniques", "routers", "guards", "evals"}


def loaded_after(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after some code."""
    probe = f"import sys, json\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import compose",
        "from compose import ComposeError, Message",
        "from compose.cli.main import run; run(['--help'])",
        "from compose.cli.main import run; run(['--version'])",
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert not {m.partition(".")[0] for m in loaded_after(code)} & HEAVY


def test_help_imports_no_command() -> None:
    loaded = loaded_after("from compose.cli.main import run; run(['--help'])")
    assert not {f"compose.cli.{name}" for name in COMMANDS} & loaded


def test_no_module_stands_under_two_names() -> None:
    every = "import compose\nfor name in compose.__all__: getattr(compose, name)"
    assert not loaded_after(every) & LINKED


def test_all_equals_the_namespace() -> None:
    assert dir(compose) == sorted(compose.__all__)
    assert len(set(compose.__all__)) == len(compose.__all__)
    for name in compose.__all__:
        assert getattr(compose, name) is not None
    public = {
        name
        for name, value in vars(compose).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name not in ("annotations", "Any")
    }
    assert public - {"TYPE_CHECKING"} <= set(compose.__all__)


def test_type_checkers_see_the_same_names() -> None:
    source = Path(compose.__file__).read_text(encoding="utf-8")
    block = source.partition("if TYPE_CHECKING:")[2].partition("__version__")[0]
    for name in compose.__all__:
        assert name == "__version__" or name in block, f"{name} is not imported under TYPE_CHECKING"


@pytest.mark.parametrize("name", [n for n in compose.__all__ if n != "__version__"])
def test_public_names_have_docstrings(name: str) -> None:
    assert inspect.getdoc(getattr(compose, name)), f"compose.{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = compose.nothing  # type: ignore[attr-defined]


def test_layers_import_downwards() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([lint, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
