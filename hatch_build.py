"""Build hook: stop with one clear line where the links in compose/ were lost.

A zip download or `core.symlinks=false` turns a link into a small text file (or
drops it); the wheel would then lack every technique. A build from an sdist has
real folders there, which is what a wheel wants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LINKED = ("techniques", "routers", "guards", "evals")


def lost_links(root: Path) -> list[str]:
    """The linked folders that are not there as folders."""
    return [f"compose/{name}" for name in LINKED if not (root / "compose" / name).is_dir()]


class LinksAreThere(BuildHookInterface[Any]):
    """Refuses to build a wheel or sdist without the linked folders."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before each build; ends it when a link was lost."""
        lost = lost_links(Path(self.root))
        if lost:
            names = ", ".join(lost)
            raise SystemExit(
                f"compose: the symbolic links {names} were lost in this copy: "
                "clone with `git clone -c core.symlinks=true`, or install the wheel"
            )
