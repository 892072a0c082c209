"""What an installed package registers is somebody else's code: its failures are told, not ours."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from compose import registry
from compose.errors import ConfigError


@pytest.mark.parametrize("code", ["raise ValueError('no')", "def (", "import nowhere_at_all", ""])
def test_a_package_that_cannot_be_imported_is_named(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"theirs_{len(code)}"
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    entry = EntryPoint("theirs", f"{name}:Theirs", "compose.techniques")

    def installed(group: registry.Group) -> dict[str, EntryPoint]:
        return {"theirs": entry}

    monkeypatch.setattr(registry, "_installed", installed)
    with pytest.raises(ConfigError, match=r"technique 'theirs' of package .* cannot be imported"):
        registry.find("techniques", "theirs")
